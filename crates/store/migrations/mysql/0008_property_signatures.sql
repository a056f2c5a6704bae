-- `signature` is a Bloom filter over the strings of the owner: index scans over the owners of one string skip those that lack
-- another. Existing rows get all bits, so that they are never skipped.
--
-- One ALTER, which is atomic. It is conditional, because MySQL has no IF NOT EXISTS for columns.

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'property' AND column_name = 'signature'
    ),
    'DO 0',
    'ALTER TABLE property
        ADD COLUMN signature BIGINT NOT NULL DEFAULT -1,
        DROP KEY property_string,
        ADD KEY property_string (workspace_id, kind, name, string_key, owner_id, signature)'
);
PREPARE add_signature FROM @statement;
EXECUTE add_signature;
DEALLOCATE PREPARE add_signature;
