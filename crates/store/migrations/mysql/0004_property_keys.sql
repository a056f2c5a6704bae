-- Filters walk the owners of a text in the order of their ids, which an index on the beginning of a column cannot give.
--
-- One ALTER, which happens or does not; asked for first, because MySQL does not know IF NOT EXISTS for columns.

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
