use model_registry_testkit::{
    Backend, Error, MariaDbServer, PostgresServer, Stop, TestDatabase, backends, server_directory,
};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection, Row};

/// Returns `None` and writes a message if the program is not installed; any other error fails the test.
fn unless_missing<T>(started: Result<T, Error>) -> Option<T> {
    match started {
        Ok(server) => Some(server),
        Err(missing @ Error::Missing { .. }) => {
            eprintln!("skipped: {missing}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_postgres_server_keeps_its_port_and_data_after_every_kind_of_stop() {
    let directory = server_directory().unwrap();
    let Some(mut server) = unless_missing(PostgresServer::start(&directory.path().join("pg")).await) else { return };
    let url = server.url();
    let database = TestDatabase::create_on(Backend::Postgres, &url).await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    connection.execute("CREATE TABLE t AS SELECT 'Ä' AS v").await.unwrap();

    for how in [Stop::Hard, Stop::Graceful] {
        server.stop(how).await.unwrap();
        assert!(PgConnection::connect(&url).await.is_err());
        server.start_again().await.unwrap();
        assert_eq!(server.url(), url);
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        let row = connection.fetch_one("SELECT v, datcollate, pg_encoding_to_char(encoding) FROM t, pg_database WHERE datname = current_database()").await;
        let row = row.unwrap();
        assert_eq!((row.get::<&str, _>(0), row.get::<&str, _>(1), row.get::<&str, _>(2)), ("Ä", "C.UTF-8", "UTF8"));
    }

    drop(server);
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn a_mariadb_server_keeps_its_port_and_data_after_every_kind_of_stop() {
    let directory = server_directory().unwrap();
    let Some(mut server) = unless_missing(MariaDbServer::start(&directory.path().join("maria")).await) else { return };
    let url = server.url();
    let database = TestDatabase::create_on(Backend::MariaDb, &url).await.unwrap();
    let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
    connection.execute("CREATE TABLE t (v VARCHAR(9))").await.unwrap();
    connection.execute("INSERT INTO t VALUES ('😀')").await.unwrap();

    for how in [Stop::Hard, Stop::Graceful] {
        server.stop(how).await.unwrap();
        assert!(MySqlConnection::connect(&url).await.is_err());
        server.start_again().await.unwrap();
        assert_eq!(server.url(), url);
        let mut connection = MySqlConnection::connect(database.url()).await.unwrap();
        let row = connection.fetch_one("SELECT v FROM t").await.unwrap();
        assert_eq!(row.get::<&str, _>(0), "😀");
    }

    drop(server);
    assert!(MySqlConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn test_databases_are_separate_empty_and_dropped() {
    for backend in backends() {
        let one = TestDatabase::create(backend).await.unwrap();
        let other = TestDatabase::create(backend).await.unwrap();
        assert_ne!(one.url(), other.url(), "{backend}");
        let urls = [one.url().to_owned(), other.url().to_owned()];
        for url in &urls {
            match backend {
                Backend::Sqlite => assert!(url.starts_with("sqlite:/")),
                Backend::Postgres => drop(PgConnection::connect(url).await.unwrap()),
                Backend::MariaDb | Backend::MySql => drop(MySqlConnection::connect(url).await.unwrap()),
            }
        }
        drop((one, other));
        for url in &urls {
            let exists = match backend {
                Backend::Sqlite => std::path::Path::new(url.trim_start_matches("sqlite:")).parent().unwrap().exists(),
                Backend::Postgres => PgConnection::connect(url).await.is_ok(),
                Backend::MariaDb | Backend::MySql => MySqlConnection::connect(url).await.is_ok(),
            };
            assert!(!exists, "{url}");
        }
    }
}
