-- Indexes for filters: the owners of each property name in the order of their ids, and entities by name without a parent.
--
-- The program runs each statement unless the index exists, and adds the clauses that allow writes meanwhile: see db/online.rs.
CREATE INDEX property_name ON property (workspace_id, kind, name, owner_id);
CREATE INDEX resource_kind_name ON resource (workspace_id, kind, name, id);
CREATE INDEX artifact_kind_name ON artifact (workspace_id, kind, name, id);
