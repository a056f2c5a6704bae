-- The catalog: the documents that sources publish, with the rows that filters need.
--
-- Everything here can be loaded again from the sources. A load is one transaction, so that readers see either the old or
-- the new content. Ids come from `catalog_state` and are never reused; its row is also the lock of loads.

-- `generation` increases with every load that changes something.
CREATE TABLE IF NOT EXISTS catalog_state (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    next_id INTEGER NOT NULL
);

INSERT INTO catalog_state (workspace_id, generation, next_id) VALUES (1, 0, 1) ON CONFLICT DO NOTHING;

-- The result of the last load of each source; the sources themselves are in the configuration.
CREATE TABLE IF NOT EXISTS catalog_source (
    workspace_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT NULL,
    item_count INTEGER NOT NULL,
    skipped_count INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
);

-- Models, MCP servers and their tools. `parent_id` is the server of a tool, 0 otherwise. `sort_name` is the case-insensitive
-- sort key; `search_text` is the folded string that `q` searches; a load compares `digest` to detect changes.
CREATE TABLE IF NOT EXISTS catalog_item (
    id INTEGER NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    parent_id INTEGER NOT NULL,
    item_key TEXT NOT NULL,
    name TEXT NULL,
    name_folded TEXT NULL,
    sort_name TEXT NOT NULL,
    external_id TEXT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    digest TEXT NOT NULL,
    search_text TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS catalog_item_key ON catalog_item (workspace_id, source_id, kind, parent_id, item_key);
CREATE INDEX IF NOT EXISTS catalog_item_id ON catalog_item (workspace_id, kind, id);
CREATE INDEX IF NOT EXISTS catalog_item_sort_name ON catalog_item (workspace_id, kind, sort_name, id);
CREATE INDEX IF NOT EXISTS catalog_item_create_time ON catalog_item (workspace_id, kind, create_time, id);
CREATE INDEX IF NOT EXISTS catalog_item_update_time ON catalog_item (workspace_id, kind, update_time, id);
CREATE INDEX IF NOT EXISTS catalog_item_parent ON catalog_item (parent_id, id);

-- Artifacts of models: locations and performance metrics.
CREATE TABLE IF NOT EXISTS catalog_artifact (
    id INTEGER NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    parent_id INTEGER NOT NULL,
    item_key TEXT NOT NULL,
    name TEXT NULL,
    name_folded TEXT NULL,
    sort_name TEXT NOT NULL,
    external_id TEXT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS catalog_artifact_key ON catalog_artifact (parent_id, item_key);
CREATE INDEX IF NOT EXISTS catalog_artifact_parent ON catalog_artifact (parent_id, kind, id);
CREATE INDEX IF NOT EXISTS catalog_artifact_source ON catalog_artifact (workspace_id, source_id);

-- One row per filterable value, like `property` for the registry. The elements of a custom list have the name of the
-- property with the suffix `.array_value`.
CREATE TABLE IF NOT EXISTS catalog_property (
    workspace_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    owner_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    custom INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    string_value TEXT NULL,
    string_folded TEXT NULL,
    int_value INTEGER NULL,
    double_value REAL NULL,
    bool_value INTEGER NULL,
    PRIMARY KEY (kind, owner_id, name, custom, ordinal)
);
CREATE INDEX IF NOT EXISTS catalog_property_string ON catalog_property (workspace_id, kind, name, string_value, owner_id) WHERE string_value IS NOT NULL;
CREATE INDEX IF NOT EXISTS catalog_property_int ON catalog_property (workspace_id, kind, name, int_value, owner_id) WHERE int_value IS NOT NULL;
CREATE INDEX IF NOT EXISTS catalog_property_double ON catalog_property (workspace_id, kind, name, double_value, owner_id) WHERE double_value IS NOT NULL;
