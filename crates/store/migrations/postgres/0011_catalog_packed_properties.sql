-- The filterable values of an item as bytes, so that the index in memory is built without parsing documents. Rows of older
-- versions have none: the next load writes them again.
ALTER TABLE catalog_item ADD COLUMN IF NOT EXISTS packed_properties BYTEA NULL;
ALTER TABLE catalog_artifact ADD COLUMN IF NOT EXISTS packed_properties BYTEA NULL;
