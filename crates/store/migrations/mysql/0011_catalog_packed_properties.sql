-- The filterable values of an item as bytes, so that the index in memory is built without parsing documents. Rows of older
-- versions have none: the next load writes them again.
--
-- MySQL does not know IF NOT EXISTS for columns, and each ALTER commits by itself.

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'catalog_item' AND column_name = 'packed_properties'
    ),
    'DO 0',
    'ALTER TABLE catalog_item ADD COLUMN packed_properties LONGBLOB NULL'
);
PREPARE add_properties FROM @statement;
EXECUTE add_properties;
DEALLOCATE PREPARE add_properties;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'catalog_artifact' AND column_name = 'packed_properties'
    ),
    'DO 0',
    'ALTER TABLE catalog_artifact ADD COLUMN packed_properties LONGBLOB NULL'
);
PREPARE add_properties FROM @statement;
EXECUTE add_properties;
DEALLOCATE PREPARE add_properties;
