-- The other databases get a trigram index here. MariaDB lacks the ngram full-text parser of MySQL, and `q` does not search by
-- words, so both read the search strings.
DO 0;
