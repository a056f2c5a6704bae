-- Filters read properties from indexes alone.
--
-- `string_key` is what an index can hold of a text. As a column, and not as an expression of the index, it lets PostgreSQL
-- walk the owners of a text without visiting the table; so do the values beside the primary key, for one owner.

ALTER TABLE property ADD COLUMN string_key VARCHAR(255) COLLATE "C" GENERATED ALWAYS AS (left(string_value, 255)) STORED;
DROP INDEX property_string;
CREATE INDEX property_string ON property (workspace_id, kind, name, string_key, owner_id)
    INCLUDE (custom, ordinal) WHERE string_key IS NOT NULL;
ALTER TABLE property DROP CONSTRAINT property_pkey;
ALTER TABLE property ADD CONSTRAINT property_pkey PRIMARY KEY (kind, owner_id, name, custom, ordinal)
    INCLUDE (string_key, int_value, double_value, bool_value);
