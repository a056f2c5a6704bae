-- Indexes for filters: the owners of each property name in the order of their ids, and entities by name without a parent.
CREATE INDEX IF NOT EXISTS property_name ON property (workspace_id, kind, name, owner_id);
CREATE INDEX IF NOT EXISTS resource_kind_name ON resource (workspace_id, kind, name, id);
CREATE INDEX IF NOT EXISTS artifact_kind_name ON artifact (workspace_id, kind, name, id);
