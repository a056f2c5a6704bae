-- Indexes for lists in the order of fields, and for filters: states, and numbers of metrics. There is none for booleans: without
-- partial indexes it would have an entry for every property.
--
-- They are conditional, because MySQL has no IF NOT EXISTS for indexes.

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'resource' AND index_name = 'resource_state'
    ),
    'DO 0',
    'ALTER TABLE resource ADD KEY resource_state (workspace_id, kind, state, id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'artifact' AND index_name = 'artifact_state'
    ),
    'DO 0',
    'ALTER TABLE artifact ADD KEY artifact_state (workspace_id, kind, state, id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'artifact' AND index_name = 'artifact_value'
    ),
    'DO 0',
    'ALTER TABLE artifact ADD KEY artifact_value (workspace_id, kind, value, id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'artifact' AND index_name = 'artifact_step'
    ),
    'DO 0',
    'ALTER TABLE artifact ADD KEY artifact_step (workspace_id, kind, step, id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;
