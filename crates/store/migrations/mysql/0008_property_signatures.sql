-- Each row of a property tells what texts its owner has: lists that walk the owners of one text pass over those that lack
-- another. Rows from before have all bits, as if they had every text: they are looked at as before.
--
-- One ALTER, which happens or does not; asked for first, because MySQL does not know IF NOT EXISTS for columns.

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
