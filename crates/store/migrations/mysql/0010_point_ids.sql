-- Points of metric histories get ids from 2^40 on, which no artifact has. Those from before keep theirs.
ALTER TABLE metric_point AUTO_INCREMENT = 1099511627776;
