-- The catalog: the documents that sources publish, with the rows that filters need.
--
-- Everything here can be loaded again from the sources. A load is one transaction, so that readers see either the old or
-- the new content. Ids come from `catalog_state` and are never reused; its row is also the lock of loads.

-- `generation` increases with every load that changes something.
CREATE TABLE IF NOT EXISTS catalog_state (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    next_id BIGINT NOT NULL
);

INSERT INTO catalog_state (workspace_id, generation, next_id) VALUES (1, 0, 1) ON CONFLICT DO NOTHING;

-- The result of the last load of each source; the sources themselves are in the configuration.
CREATE TABLE IF NOT EXISTS catalog_source (
    workspace_id INTEGER NOT NULL,
    source_id VARCHAR(255) COLLATE "C" NOT NULL,
    status VARCHAR(64) COLLATE "C" NOT NULL,
    error TEXT COLLATE "C" NULL,
    item_count BIGINT NOT NULL,
    skipped_count BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
);

-- Models, MCP servers and their tools. `parent_id` is the server of a tool, 0 otherwise. `sort_name` is the case-insensitive
-- sort key; `search_text` is the folded string that `q` searches; a load compares `digest` to detect changes.
CREATE TABLE IF NOT EXISTS catalog_item (
    id BIGINT NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    source_id VARCHAR(255) COLLATE "C" NOT NULL,
    parent_id BIGINT NOT NULL,
    item_key VARCHAR(255) COLLATE "C" NOT NULL,
    name VARCHAR(255) COLLATE "C" NULL,
    name_folded TEXT COLLATE "C" NULL,
    sort_name TEXT COLLATE "C" NOT NULL,
    external_id VARCHAR(255) COLLATE "C" NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest VARCHAR(64) COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS catalog_item_key ON catalog_item (workspace_id, source_id, kind, parent_id, item_key);
CREATE INDEX IF NOT EXISTS catalog_item_id ON catalog_item (workspace_id, kind, id);
CREATE INDEX IF NOT EXISTS catalog_item_sort_name ON catalog_item (workspace_id, kind, sort_name, id);
CREATE INDEX IF NOT EXISTS catalog_item_create_time ON catalog_item (workspace_id, kind, create_time, id);
CREATE INDEX IF NOT EXISTS catalog_item_update_time ON catalog_item (workspace_id, kind, update_time, id);
CREATE INDEX IF NOT EXISTS catalog_item_parent ON catalog_item (parent_id, id);

-- Artifacts of models: locations and performance metrics.
CREATE TABLE IF NOT EXISTS catalog_artifact (
    id BIGINT NOT NULL PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    source_id VARCHAR(255) COLLATE "C" NOT NULL,
    parent_id BIGINT NOT NULL,
    item_key VARCHAR(255) COLLATE "C" NOT NULL,
    name VARCHAR(255) COLLATE "C" NULL,
    name_folded TEXT COLLATE "C" NULL,
    sort_name TEXT COLLATE "C" NOT NULL,
    external_id VARCHAR(255) COLLATE "C" NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    document TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS catalog_artifact_key ON catalog_artifact (parent_id, item_key);
CREATE INDEX IF NOT EXISTS catalog_artifact_parent ON catalog_artifact (parent_id, kind, id);
CREATE INDEX IF NOT EXISTS catalog_artifact_source ON catalog_artifact (workspace_id, source_id);

-- One row per filterable value, like `property` for the registry. The elements of a custom list have the name of the
-- property with the suffix `.array_value`.
CREATE TABLE IF NOT EXISTS catalog_property (
    workspace_id INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    owner_id BIGINT NOT NULL,
    name VARCHAR(255) COLLATE "C" NOT NULL,
    custom BOOLEAN NOT NULL,
    ordinal SMALLINT NOT NULL,
    string_value TEXT COLLATE "C" NULL,
    string_folded TEXT COLLATE "C" NULL,
    int_value BIGINT NULL,
    double_value DOUBLE PRECISION NULL,
    bool_value BOOLEAN NULL,
    PRIMARY KEY (kind, owner_id, name, custom, ordinal)
);
CREATE INDEX IF NOT EXISTS catalog_property_string ON catalog_property (workspace_id, kind, name, left(string_value, 255), owner_id) WHERE string_value IS NOT NULL;
CREATE INDEX IF NOT EXISTS catalog_property_int ON catalog_property (workspace_id, kind, name, int_value, owner_id) WHERE int_value IS NOT NULL;
CREATE INDEX IF NOT EXISTS catalog_property_double ON catalog_property (workspace_id, kind, name, double_value, owner_id) WHERE double_value IS NOT NULL;
