use super::*;

fn shown(url: &str) -> String {
    match url.parse::<DatabaseUrl>() {
        Ok(url) => url.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_documented_form_is_parsed() {
    assert_eq!(shown("sqlite::memory:"), "SQLite in memory");
    assert_eq!(shown("sqlite:/var/lib/registry.db"), "SQLite file /var/lib/registry.db");
    assert_eq!(shown("sqlite://registry.db"), "SQLite file registry.db");
    assert_eq!(shown("postgres://u:p@db:5433/models?sslmode=disable"), "PostgreSQL models at db:5433");
    assert_eq!(shown("host=db port=5433 user=u password='it\\'s' dbname=models"), "PostgreSQL models at db:5433");
    assert_eq!(
        shown("postgres://u:p@db1,db2:5433/models?target_session_attrs=read-write"),
        "PostgreSQL models at db1:5432, db2:5433"
    );
    assert_eq!(shown("host=db1,db2 port=5433 dbname=models"), "PostgreSQL models at db1:5433, db2:5433");
    assert_eq!(shown("mysql://u:p@db1,db2/models"), "MySQL models at db1:3306, db2:3306");
    assert_eq!(shown("mysql://u:p@db/models"), "MySQL models at db:3306");
    assert_eq!(shown("root:de/m@o@tcp(db:3307)/models?charset=utf8mb4"), "MySQL models at db:3307");
    assert_eq!(shown("root@tcp([::1]:3307)/models"), "MySQL models at ::1:3307");
}

#[test]
fn errors_do_not_contain_the_password() {
    assert!(shown("redis://x").starts_with("the form of the database URL is unknown"));
    assert_eq!(shown("sqlite:"), "`sqlite:` has no file: use sqlite:PATH, for example sqlite:registry.db");
    assert_eq!(shown("root:secret@tcp(db:x)/models"), "invalid MySQL DSN: the port is not a number: x");
    assert_eq!(shown("root:secret@tcp(db:1)/a?b=1?c=2"), "invalid MySQL DSN: the database name must not contain `?`");
    assert_eq!(
        shown("host=db password=secret"),
        "invalid PostgreSQL DSN: it has no database name; add it after the last `/`"
    );
    assert_eq!(
        shown("host=db dbname=x password=se cret=x"),
        "invalid PostgreSQL DSN: after `password` follows no known key: write a value with blanks in apostrophes, \
         password='a b'"
    );
    for password in ["12/secret", "secret/12", "1?secret", "1#secret", "a/secret@b", "secret?x=y&z"] {
        for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
            let error = shown(&format!("{scheme}://u:{password}@host/models"));
            assert!(error.contains("percent-encoded: `/` as %2F") && !error.contains("secret"), "{error}");
        }
    }
    assert_eq!(shown("host=db dbname=x pasword=secret"), "invalid PostgreSQL DSN: unknown key `pasword`");
}

#[test]
fn the_database_type_and_the_dsn_must_agree() {
    assert_eq!(DatabaseUrl::from_type_and_dsn("mysql", "u:p@tcp(h:1)/d").unwrap().kind(), "mysql");
    assert_eq!(DatabaseUrl::from_type_and_dsn("postgres", "host=h dbname=d").unwrap().kind(), "postgres");
    assert_eq!(
        DatabaseUrl::from_type_and_dsn("mysql", "postgres://h/d").unwrap_err(),
        DatabaseUrlError::TypeMismatch { found: "postgres", wanted: "mysql".to_owned() }
    );
    assert_eq!(
        DatabaseUrl::from_type_and_dsn("oracle", "x").unwrap_err(),
        DatabaseUrlError::UnknownType("oracle".to_owned())
    );
}
