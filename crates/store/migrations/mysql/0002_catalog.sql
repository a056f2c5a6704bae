-- The catalog: the documents that sources publish, with the rows that filters need.
--
-- Everything here can be loaded again from the sources. A load is one transaction, so that readers see either the old or
-- the new content. Ids come from `catalog_state` and are never reused; its row is also the lock of loads.

-- `{collation}` is replaced by the name of the binary collation without padding.

-- `generation` increases with every load that changes something.
CREATE TABLE IF NOT EXISTS catalog_state (
    workspace_id INT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    next_id BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE {collation};

INSERT IGNORE INTO catalog_state (workspace_id, generation, next_id) VALUES (1, 0, 1);

-- The result of the last load of each source; the sources themselves are in the configuration.
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

-- Models, MCP servers and their tools. `parent_id` is the server of a tool, 0 otherwise. `sort_name` is the case-insensitive
-- sort key; `search_text` is the folded string that `q` searches; a load compares `digest` to detect changes.
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

-- Artifacts of models: locations and performance metrics.
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

-- One row per filterable value, like `property` for the registry. The elements of a custom list have the name of the
-- property with the suffix `.array_value`.
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
