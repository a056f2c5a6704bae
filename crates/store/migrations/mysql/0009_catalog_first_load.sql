-- Nothing to do: on this database the first load maintains all indexes.
DO 0;
