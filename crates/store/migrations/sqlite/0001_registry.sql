-- The first schema of the registry: one row per entity, with its JSON document.
--
-- `document` is what a client sees, without the id. The other columns are those that SQL needs for keys, order and
-- uniqueness. `kind` is the code of the kind. `property` is for filters only.

CREATE TABLE IF NOT EXISTS workspace (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS workspace_name ON workspace (name);

INSERT INTO workspace (id, name) VALUES (1, 'default') ON CONFLICT DO NOTHING;

-- Registered models, versions, serving environments, inference services, serve models, experiments and runs.
-- `parent_id` is 0 without a parent, so that the unique key applies there too.
CREATE TABLE IF NOT EXISTS resource (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    family INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NULL,
    external_id TEXT NULL,
    state TEXT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS resource_name ON resource (workspace_id, kind, parent_id, name);
CREATE UNIQUE INDEX IF NOT EXISTS resource_external_id ON resource (workspace_id, family, external_id);
CREATE INDEX IF NOT EXISTS resource_id ON resource (workspace_id, kind, id);
CREATE INDEX IF NOT EXISTS resource_create_time ON resource (workspace_id, kind, create_time, id);
CREATE INDEX IF NOT EXISTS resource_update_time ON resource (workspace_id, kind, update_time, id);
CREATE INDEX IF NOT EXISTS resource_parent ON resource (workspace_id, kind, parent_id, id);

-- `parent_id` is the version or run under which an artifact was created; its name is unique there. It is NULL without a
-- parent, so that the unique key does not apply. `value`, `step` and `timestamp` are those of metrics.
CREATE TABLE IF NOT EXISTS artifact (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    parent_id INTEGER NULL,
    name TEXT NOT NULL,
    name_folded TEXT NULL,
    external_id TEXT NULL,
    state TEXT NULL,
    experiment_id INTEGER NULL,
    experiment_run_id INTEGER NULL,
    value REAL NULL,
    step INTEGER NULL,
    timestamp INTEGER NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS artifact_name ON artifact (workspace_id, kind, parent_id, name);
CREATE UNIQUE INDEX IF NOT EXISTS artifact_external_id ON artifact (workspace_id, external_id);
CREATE INDEX IF NOT EXISTS artifact_id ON artifact (workspace_id, kind, id);
CREATE INDEX IF NOT EXISTS artifact_create_time ON artifact (workspace_id, create_time, id);
CREATE INDEX IF NOT EXISTS artifact_update_time ON artifact (workspace_id, update_time, id);
CREATE INDEX IF NOT EXISTS artifact_parent ON artifact (parent_id, id);

-- Further versions and runs to which an artifact was attached after its creation.
CREATE TABLE IF NOT EXISTS artifact_link (
    resource_id INTEGER NOT NULL,
    artifact_id INTEGER NOT NULL,
    workspace_id INTEGER NOT NULL,
    PRIMARY KEY (resource_id, artifact_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS artifact_link_artifact ON artifact_link (artifact_id);

-- Every logged value of every metric of every run; append-only.
CREATE TABLE IF NOT EXISTS metric_point (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace_id INTEGER NOT NULL,
    experiment_id INTEGER NOT NULL,
    experiment_run_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_folded TEXT NULL,
    state TEXT NULL,
    value REAL NOT NULL,
    step INTEGER NULL,
    timestamp INTEGER NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS metric_point_run ON metric_point (experiment_run_id, name, id);
CREATE INDEX IF NOT EXISTS metric_point_step ON metric_point (experiment_run_id, step, id);
CREATE INDEX IF NOT EXISTS metric_point_id ON metric_point (workspace_id, id);
CREATE INDEX IF NOT EXISTS metric_point_create_time ON metric_point (workspace_id, create_time, id);

-- One row per filterable value; `ordinal` is the index of an element of a list. A row without a value is a removed
-- property (a tombstone) and matches nothing.
CREATE TABLE IF NOT EXISTS property (
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
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS property_string ON property (workspace_id, kind, name, string_value, owner_id) WHERE string_value IS NOT NULL;
CREATE INDEX IF NOT EXISTS property_int ON property (workspace_id, kind, name, int_value, owner_id) WHERE int_value IS NOT NULL;
CREATE INDEX IF NOT EXISTS property_double ON property (workspace_id, kind, name, double_value, owner_id) WHERE double_value IS NOT NULL;

-- The audit log: one row per mutation, written in its transaction. `sequence` is assigned after the commit, so that
-- readers see neither gaps nor changes below a number that they have already read.
CREATE TABLE IF NOT EXISTS change_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER NULL,
    workspace_id INTEGER NOT NULL,
    time INTEGER NOT NULL,
    actor TEXT NULL,
    kind INTEGER NOT NULL,
    entity_id INTEGER NOT NULL,
    verb TEXT NOT NULL,
    revision INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS change_log_sequence ON change_log (sequence);
CREATE INDEX IF NOT EXISTS change_log_entity ON change_log (kind, entity_id);

-- Responses to requests with an Idempotency-Key, stored for a day.
CREATE TABLE IF NOT EXISTS idempotency (
    workspace_id INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    status INTEGER NOT NULL,
    etag TEXT NULL,
    body TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, idempotency_key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_create_time ON idempotency (create_time);

-- Leases for work that one replica does at a time; a holder that stops renewing loses its lease.
CREATE TABLE IF NOT EXISTS lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    expire_time INTEGER NOT NULL
);
