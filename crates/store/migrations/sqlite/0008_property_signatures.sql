-- `signature` is a Bloom filter over the strings of the owner: index scans over the owners of one string skip those that lack
-- another. Existing rows get all bits, so that they are never skipped.
ALTER TABLE property ADD COLUMN signature INTEGER NOT NULL DEFAULT -1;
DROP INDEX property_string;
CREATE INDEX property_string ON property (workspace_id, kind, name, string_value, owner_id, signature) WHERE string_value IS NOT NULL;
