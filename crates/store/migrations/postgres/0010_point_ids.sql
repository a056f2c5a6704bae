-- Points of metric histories get ids from 2^40, above those of artifacts. Existing points keep their ids.
SELECT setval(
    pg_get_serial_sequence('metric_point', 'id'),
    GREATEST(1099511627775, nextval(pg_get_serial_sequence('metric_point', 'id')))
);
