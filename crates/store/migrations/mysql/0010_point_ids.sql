-- Points of metric histories get ids from 2^40, above those of artifacts. Existing points keep their ids.
ALTER TABLE metric_point AUTO_INCREMENT = 1099511627776;
