-- Filters read properties with index-only scans.
--
-- `string_key` is the part of a string that an index can hold. As a column instead of an expression of the index, it allows
-- index-only scans over the owners of a string; the values included in the primary key allow them for one owner.

ALTER TABLE property ADD COLUMN string_key VARCHAR(255) COLLATE "C" GENERATED ALWAYS AS (left(string_value, 255)) STORED;
DROP INDEX property_string;
CREATE INDEX property_string ON property (workspace_id, kind, name, string_key, owner_id)
    INCLUDE (custom, ordinal) WHERE string_key IS NOT NULL;
ALTER TABLE property DROP CONSTRAINT property_pkey;
ALTER TABLE property ADD CONSTRAINT property_pkey PRIMARY KEY (kind, owner_id, name, custom, ordinal)
    INCLUDE (string_key, int_value, double_value, bool_value);
