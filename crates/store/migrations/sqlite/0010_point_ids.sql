-- Points of metric histories get ids from 2^40, above those of artifacts. Existing points keep their ids.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'metric_point', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'metric_point');
UPDATE sqlite_sequence SET seq = MAX(seq, 1099511627775) WHERE name = 'metric_point';
