-- The first schema of the registry: one row per entity, with its JSON document.
--
-- `document` is what a client sees, without the id. The other columns are those that SQL needs for keys, order and
-- uniqueness. `kind` is the code of the kind. `property` is for filters only.

-- `{collation}` is replaced by the name of the binary collation without padding, which differs between MySQL and MariaDB.
-- Every DDL statement commits, so each can be repeated after an interrupted migration.

CREATE TABLE IF NOT EXISTS workspace (
    id INT NOT NULL PRIMARY KEY,
    name VARCHAR(64) NOT NULL,
    UNIQUE KEY workspace_name (name)
) CHARACTER SET utf8mb4 COLLATE {collation};

INSERT IGNORE INTO workspace (id, name) VALUES (1, 'default');

-- Registered models, versions, serving environments, inference services, serve models, experiments and runs.
-- `parent_id` is 0 without a parent, so that the unique key applies there too.
CREATE TABLE IF NOT EXISTS resource (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    workspace_id INT NOT NULL,
    kind SMALLINT NOT NULL,
    family SMALLINT NOT NULL,
    parent_id BIGINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    name_folded TEXT NULL,
    external_id VARCHAR(255) NULL,
    state VARCHAR(64) NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    document LONGTEXT NOT NULL,
    UNIQUE KEY resource_name (workspace_id, kind, parent_id, name),
    UNIQUE KEY resource_external_id (workspace_id, family, external_id),
    KEY resource_id (workspace_id, kind, id),
    KEY resource_create_time (workspace_id, kind, create_time, id),
    KEY resource_update_time (workspace_id, kind, update_time, id),
    KEY resource_parent (workspace_id, kind, parent_id, id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- `parent_id` is the version or run under which an artifact was created; its name is unique there. It is NULL without a
-- parent, so that the unique key does not apply. `value`, `step` and `timestamp` are those of metrics.
CREATE TABLE IF NOT EXISTS artifact (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    workspace_id INT NOT NULL,
    kind SMALLINT NOT NULL,
    parent_id BIGINT NULL,
    name VARCHAR(255) NOT NULL,
    name_folded TEXT NULL,
    external_id VARCHAR(255) NULL,
    state VARCHAR(64) NULL,
    experiment_id BIGINT NULL,
    experiment_run_id BIGINT NULL,
    value DOUBLE NULL,
    step BIGINT NULL,
    timestamp BIGINT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    document LONGTEXT NOT NULL,
    UNIQUE KEY artifact_name (workspace_id, kind, parent_id, name),
    UNIQUE KEY artifact_external_id (workspace_id, external_id),
    KEY artifact_id (workspace_id, kind, id),
    KEY artifact_create_time (workspace_id, create_time, id),
    KEY artifact_update_time (workspace_id, update_time, id),
    KEY artifact_parent (parent_id, id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- Further versions and runs to which an artifact was attached after its creation.
CREATE TABLE IF NOT EXISTS artifact_link (
    resource_id BIGINT NOT NULL,
    artifact_id BIGINT NOT NULL,
    workspace_id INT NOT NULL,
    PRIMARY KEY (resource_id, artifact_id),
    KEY artifact_link_artifact (artifact_id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- Every logged value of every metric of every run; append-only.
CREATE TABLE IF NOT EXISTS metric_point (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    workspace_id INT NOT NULL,
    experiment_id BIGINT NOT NULL,
    experiment_run_id BIGINT NOT NULL,
    name VARCHAR(255) NOT NULL,
    name_folded TEXT NULL,
    state VARCHAR(64) NULL,
    value DOUBLE NOT NULL,
    step BIGINT NULL,
    timestamp BIGINT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    document LONGTEXT NOT NULL,
    KEY metric_point_run (experiment_run_id, name, id),
    KEY metric_point_step (experiment_run_id, step, id),
    KEY metric_point_id (workspace_id, id),
    KEY metric_point_create_time (workspace_id, create_time, id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- One row per filterable value; `ordinal` is the index of an element of a list. A row without a value is a removed
-- property (a tombstone) and matches nothing.
CREATE TABLE IF NOT EXISTS property (
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
    KEY property_string (workspace_id, kind, name, string_value(255), owner_id),
    KEY property_int (workspace_id, kind, name, int_value, owner_id),
    KEY property_double (workspace_id, kind, name, double_value, owner_id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- The audit log: one row per mutation, written in its transaction. `sequence` is assigned after the commit, so that
-- readers see neither gaps nor changes below a number that they have already read.
CREATE TABLE IF NOT EXISTS change_log (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sequence BIGINT NULL,
    workspace_id INT NOT NULL,
    time BIGINT NOT NULL,
    actor VARCHAR(255) NULL,
    kind SMALLINT NOT NULL,
    entity_id BIGINT NOT NULL,
    verb VARCHAR(64) NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE KEY change_log_sequence (sequence),
    KEY change_log_entity (kind, entity_id)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- Responses to requests with an Idempotency-Key, stored for a day.
CREATE TABLE IF NOT EXISTS idempotency (
    workspace_id INT NOT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    status SMALLINT NOT NULL,
    etag VARCHAR(64) NULL,
    body LONGTEXT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, idempotency_key),
    KEY idempotency_create_time (create_time)
) CHARACTER SET utf8mb4 COLLATE {collation};

-- Leases for work that one replica does at a time; a holder that stops renewing loses its lease.
CREATE TABLE IF NOT EXISTS lease (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    holder VARCHAR(255) NOT NULL,
    fence BIGINT NOT NULL,
    expire_time BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE {collation};
