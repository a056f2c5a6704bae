-- Indexes for lists in the order of fields, and for filters: states, numbers of metrics, and booleans.
CREATE INDEX IF NOT EXISTS resource_state ON resource (workspace_id, kind, state, id);
CREATE INDEX IF NOT EXISTS artifact_state ON artifact (workspace_id, kind, state, id);
CREATE INDEX IF NOT EXISTS artifact_value ON artifact (workspace_id, kind, value, id) WHERE value IS NOT NULL;
CREATE INDEX IF NOT EXISTS artifact_step ON artifact (workspace_id, kind, step, id) WHERE step IS NOT NULL;
CREATE INDEX IF NOT EXISTS property_bool ON property (workspace_id, kind, name, bool_value, owner_id) WHERE bool_value IS NOT NULL;
