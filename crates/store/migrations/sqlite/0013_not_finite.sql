-- Doubles that are not finite, which not every database can store as such: 0 for NaN, 1 and -1 for infinities, whose value is
-- the largest number of their sign. NULL for ordinary numbers, and in existing rows.
ALTER TABLE property ADD COLUMN not_finite INTEGER NULL;
ALTER TABLE artifact ADD COLUMN not_finite INTEGER NULL;
ALTER TABLE metric_point ADD COLUMN not_finite INTEGER NULL;
