-- Nothing to do: on this database the first load maintains all indexes.
SELECT 1;
