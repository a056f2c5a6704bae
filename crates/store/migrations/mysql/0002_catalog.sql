-- The catalog: what sources publish, as documents, with the rows that filters need.
--
-- Everything here can be loaded again from the sources. A load is one transaction, so that readers see the old or the
-- new set. Ids come from `catalog_state`, whose row also makes loads wait for each other; they are never used twice.

-- `{collation}` is replaced by the server's binary collation without padding.

-- `generation` grows with every load that changed something.
CREATE TABLE IF NOT EXISTS catalog_state (
    workspace_id INT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    next_id BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE {collation};

INSERT IGNORE INTO catalog_state (workspace_id, generation, next_id) VALUES (1, 0, 1);

-- How the last load of each source went; what a source is stands in the configuration.
CREATE TABLE IF NOT EXISTS catalog_source (
    workspace_id INT NOT NULL,
    source_id VARCHAR(255) NOT NULL,
    status VARCHAR(64) NOT NULL,
    error LONGTEXT NULL,
    item_count BIGINT NOT NULL,
    skipped_count BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- Models, MCP servers and their tools. `parent_id` is the server of a tool, 0 elsewhere. `sort_name` orders without regard
-- to case; `search_text` is what `q` looks in, folded; `digest` tells whether a load changes anything.
CREATE TABLE IF NOT EXISTS catalog_item (
    id BIGINT NOT NULL PRIMARY KEY,
    workspace_id INT NOT NULL,
    kind SMALLINT NOT NULL,
    source_id VARCHAR(255) NOT NULL,
    parent_id BIGINT NOT NULL,
    item_key VARCHAR(255) NOT NULL,
    name VARCHAR(255) NULL,
    name_folded TEXT NULL,
    sort_name TEXT NOT NULL,
    external_id VARCHAR(255) NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    search_text LONGTEXT NOT NULL,
    document LONGTEXT NOT NULL,
    UNIQUE KEY catalog_item_key (workspace_id, source_id, kind, parent_id, item_key),
    KEY catalog_item_id (workspace_id, kind, id),
    KEY catalog_item_sort_name (workspace_id, kind, sort_name(255), id),
    KEY catalog_item_create_time (workspace_id, kind, create_time, id),
    KEY catalog_item_update_time (workspace_id, kind, update_time, id),
    KEY catalog_item_parent (parent_id, id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- Artifacts of models: where to get them and what was measured.
CREATE TABLE IF NOT EXISTS catalog_artifact (
    id BIGINT NOT NULL PRIMARY KEY,
    workspace_id INT NOT NULL,
    kind SMALLINT NOT NULL,
    source_id VARCHAR(255) NOT NULL,
    parent_id BIGINT NOT NULL,
    item_key VARCHAR(255) NOT NULL,
    name VARCHAR(255) NULL,
    name_folded TEXT NULL,
    sort_name TEXT NOT NULL,
    external_id VARCHAR(255) NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    document LONGTEXT NOT NULL,
    UNIQUE KEY catalog_artifact_key (parent_id, item_key),
    KEY catalog_artifact_parent (parent_id, kind, id),
    KEY catalog_artifact_source (workspace_id, source_id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- One row per filterable value, as `property` is for the registry. The elements of a custom list stand under the name of the
-- property with `.array_value` behind it.
CREATE TABLE IF NOT EXISTS catalog_property (
    workspace_id INT NOT NULL,
    kind SMALLINT NOT NULL,
    owner_id BIGINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    custom BOOLEAN NOT NULL,
    ordinal SMALLINT NOT NULL,
    string_value LONGTEXT NULL,
    string_folded LONGTEXT NULL,
    int_value BIGINT NULL,
    double_value DOUBLE NULL,
    bool_value BOOLEAN NULL,
    PRIMARY KEY (kind, owner_id, name, custom, ordinal),
    KEY catalog_property_string (workspace_id, kind, name, string_value(255), owner_id),
    KEY catalog_property_int (workspace_id, kind, name, int_value, owner_id),
    KEY catalog_property_double (workspace_id, kind, name, double_value, owner_id)
) CHARACTER SET utf8mb4 COLLATE {collation};
