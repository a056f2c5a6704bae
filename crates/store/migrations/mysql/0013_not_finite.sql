-- Doubles that are not finite, which MySQL cannot store as such: 0 for NaN, 1 and -1 for infinities, whose value is the largest
-- number of their sign. NULL for ordinary numbers, and in existing rows.
--
-- MySQL does not know IF NOT EXISTS for columns, and each ALTER commits by itself.

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'property' AND column_name = 'not_finite'
    ),
    'DO 0',
    'ALTER TABLE property ADD COLUMN not_finite SMALLINT NULL'
);
PREPARE add_not_finite FROM @statement;
EXECUTE add_not_finite;
DEALLOCATE PREPARE add_not_finite;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'artifact' AND column_name = 'not_finite'
    ),
    'DO 0',
    'ALTER TABLE artifact ADD COLUMN not_finite SMALLINT NULL'
);
PREPARE add_not_finite FROM @statement;
EXECUTE add_not_finite;
DEALLOCATE PREPARE add_not_finite;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'metric_point' AND column_name = 'not_finite'
    ),
    'DO 0',
    'ALTER TABLE metric_point ADD COLUMN not_finite SMALLINT NULL'
);
PREPARE add_not_finite FROM @statement;
EXECUTE add_not_finite;
DEALLOCATE PREPARE add_not_finite;
