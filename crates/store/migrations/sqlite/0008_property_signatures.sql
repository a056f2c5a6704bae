-- Each row of a property tells what texts its owner has: lists that walk the owners of one text pass over those that lack
-- another. Rows from before have all bits, as if they had every text: they are looked at as before.
ALTER TABLE property ADD COLUMN signature INTEGER NOT NULL DEFAULT -1;
DROP INDEX property_string;
CREATE INDEX property_string ON property (workspace_id, kind, name, string_value, owner_id, signature) WHERE string_value IS NOT NULL;
