-- Each row of a property tells what texts its owner has: lists that walk the owners of one text pass over those that lack
-- another. Rows from before have all bits, as if they had every text: they are looked at as before.
ALTER TABLE property ADD COLUMN signature BIGINT NOT NULL DEFAULT -1;
DROP INDEX property_string;
CREATE INDEX property_string ON property (workspace_id, kind, name, string_key, owner_id)
    INCLUDE (custom, ordinal, signature) WHERE string_key IS NOT NULL;
