-- Points of metric histories get ids from 2^40 on, which no artifact has. Those from before keep theirs.
SELECT setval(
    pg_get_serial_sequence('metric_point', 'id'),
    GREATEST(1099511627775, nextval(pg_get_serial_sequence('metric_point', 'id')))
);
