-- Filters scan the owners of a string in the order of their ids, which an index on a prefix of a column does not provide.
--
-- One ALTER, which is atomic. It is conditional, because MySQL has no IF NOT EXISTS for columns.

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'property' AND column_name = 'string_key'
    ),
    'DO 0',
    'ALTER TABLE property
        ADD COLUMN string_key VARCHAR(255) GENERATED ALWAYS AS (LEFT(string_value, 255)) VIRTUAL,
        DROP KEY property_string,
        ADD KEY property_string (workspace_id, kind, name, string_key, owner_id)'
);
PREPARE add_string_key FROM @statement;
EXECUTE add_string_key;
DEALLOCATE PREPARE add_string_key;
