//! TLS to the database follows the options of URLs, DSNs and the flags of the Kubeflow Model Registry.

use std::path::Path;

use model_registry_testkit::{
    Authority, Backend, CERTIFIED_USER, DatabaseServer, Executable, Issued, IssuedFiles, Ready, ServerTls, TestDatabase,
};
use tempfile::TempDir;

use crate::database_server::if_installed;
use crate::support::{Client, PROGRAM, eventually, run_in};

/// The expected result of a start.
#[derive(Debug)]
enum Expected {
    Ready,
    /// It keeps retrying and logs an error that contains this string.
    Waits(&'static str),
}

use Expected::{Ready as IsReady, Waits};

/// A database that requires TLS, and the files to connect to it.
struct TlsDatabase {
    backend: Backend,
    database: TestDatabase,
    files: TempDir,
    client: IssuedFiles,
    stranger: IssuedFiles,
    _server: DatabaseServer,
}

impl TlsDatabase {
    async fn start(backend: Backend) -> Option<Self> {
        let (authority, other) = (Authority::new("ours"), Authority::new("another"));
        let tls = ServerTls { issued: authority.issue("localhost"), authority: authority.certificate() };
        let server = if_installed(DatabaseServer::start_with_tls(backend, &tls).await)?;
        let database = TestDatabase::create_on(backend, &server.url()).await.unwrap();
        let files = TempDir::new().unwrap();
        std::fs::write(files.path().join("ours.pem"), authority.certificate()).unwrap();
        std::fs::write(files.path().join("another.pem"), other.certificate()).unwrap();
        let write = |issued: Issued, name| issued.write(files.path(), name).unwrap();
        let client = write(authority.issue("client"), "client");
        let stranger = write(other.issue("stranger"), "stranger");
        Some(Self { backend, database, files, client, stranger, _server: server })
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// The URL of the database with another user and host name.
    fn url(&self, user: Option<&str>, host: &str, parameters: &str) -> String {
        let mut url = self.database.url().replace("127.0.0.1", host);
        if let Some(user) = user {
            let (scheme, _) = url.split_once("://").unwrap();
            let (_, place) = url.split_once('@').unwrap();
            url = format!("{scheme}://{user}:p@{place}");
        }
        format!("{url}?{parameters}")
    }

    async fn check_url(&self, url: &str, expected: &Expected) {
        check(&["server", "--listen", "127.0.0.1:{port}", "--database", url], expected, self.backend).await;
    }

    /// Starts with the DSN and other flags of the Kubeflow Model Registry.
    async fn check_flags(&self, dsn: &str, flags: &[String], expected: &Expected) -> String {
        let kind = if self.backend == Backend::Postgres { "postgres" } else { "mysql" };
        let mut arguments: Vec<&str> = vec!["proxy", "--hostname=127.0.0.1", "--port={port}"];
        arguments.extend(["--embedmd-database-type", kind, "--embedmd-database-dsn", dsn]);
        arguments.extend(flags.iter().map(String::as_str));
        check(&arguments, expected, self.backend).await
    }
}

/// Starts with the arguments and returns the log.
async fn check(arguments: &[&str], expected: &Expected, backend: Backend) -> String {
    let ready = if matches!(expected, IsReady) { Ready::Healthy } else { Ready::Listening };
    let launch = Executable::launch(PROGRAM).arguments(arguments.iter().copied()).ready(ready);
    let server = launch.start().await.unwrap_or_else(|error| panic!("{backend} {arguments:?}: {error}"));
    let client = Client::of(&server);
    match expected {
        IsReady => {
            client.read("registered_models").await;
        }
        Waits(words) => {
            let what = format!("{backend} {arguments:?} says `{words}`");
            let says = async || server.log().lines().any(|line| line.contains("not reachable") && line.contains(words));
            // On a timeout, the log shows the reason.
            let waited = tokio::time::timeout(crate::support::TIME_LIMIT / 2, eventually(&what, says)).await;
            assert!(waited.is_ok(), "{what}:\n{}", server.log());
            assert_eq!(client.get("registered_models").await.status, 503, "{what}");
        }
    }
    server.log()
}

fn flag(name: &str, value: impl AsRef<Path>) -> String {
    format!("--embedmd-database-ssl-{name}={}", value.as_ref().display())
}

#[tokio::test]
async fn postgres_is_reached_with_the_tls_options_of_the_url() {
    let Some(tls) = TlsDatabase::start(Backend::Postgres).await else { return };
    let (ours, another) = (tls.file("ours.pem"), tls.file("another.pem"));
    let with = |files: &IssuedFiles| {
        format!("sslmode=require&sslcert={}&sslkey={}", files.certificate.display(), files.key.display())
    };
    for (user, host, parameters, expected) in [
        (None, "127.0.0.1", "sslmode=disable".to_owned(), Waits("no encryption")),
        (None, "127.0.0.1", "sslmode=require".to_owned(), IsReady),
        (None, "127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ours}"), IsReady),
        (None, "127.0.0.1", format!("sslmode=verify-full&sslrootcert={ours}"), Waits("not valid for name")),
        (None, "localhost", format!("sslmode=verify-full&sslrootcert={ours}"), IsReady),
        (None, "localhost", "sslmode=verify-full".to_owned(), Waits("UnknownIssuer")),
        (None, "localhost", format!("sslmode=verify-full&sslrootcert={another}"), Waits("UnknownIssuer")),
        // As in libpq, a certificate of an authority that is set is checked.
        (None, "127.0.0.1", format!("sslmode=require&sslrootcert={another}"), Waits("UnknownIssuer")),
        (None, "127.0.0.1", format!("sslmode=require&sslrootcert={ours}"), IsReady),
        (Some(CERTIFIED_USER), "127.0.0.1", "sslmode=require".to_owned(), Waits("valid client certificate")),
        (Some(CERTIFIED_USER), "127.0.0.1", with(&tls.client), IsReady),
        (Some(CERTIFIED_USER), "127.0.0.1", with(&tls.stranger), Waits("UnknownCA")),
    ] {
        tls.check_url(&tls.url(user, host, &parameters), &expected).await;
    }
    // An unreadable key is a permanent error.
    let broken = tls.file("broken.key");
    std::fs::write(&broken, "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n").unwrap();
    let broken = with(&IssuedFiles { key: broken.into(), ..tls.client.clone() });
    let url = tls.url(None, "127.0.0.1", &broken);
    let run = run_in(tls.files.path(), &["server", "--listen", "127.0.0.1:0", "--database", &url], &[]).await;
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.reason().contains("cannot connect to the database"), "{run:?}");
}

#[tokio::test]
async fn postgres_is_reached_with_the_tls_flags_of_existing_manifests() {
    let Some(tls) = TlsDatabase::start(Backend::Postgres).await else { return };
    let (ours, another) = (tls.file("ours.pem"), tls.file("another.pem"));
    let IssuedFiles { certificate, key } = &tls.client;
    let verify = "--embedmd-database-ssl-verify-server-cert".to_owned();
    let place = url_parts(tls.database.url());
    let dsn = |user: &str, host: &str| format!("host={host} port={} user={user} dbname={}", place.0, place.1);
    let certified = vec![flag("cert", certificate), flag("key", key), flag("root-cert", &ours), verify.clone()];
    for (user, host, flags, expected) in [
        (CERTIFIED_USER, "localhost", certified.clone(), IsReady),
        (CERTIFIED_USER, "127.0.0.1", certified, Waits("not valid for name")),
        ("postgres", "127.0.0.1", vec![flag("ca", &ours)], IsReady),
        ("postgres", "127.0.0.1", vec![flag("root-cert", &another)], Waits("UnknownIssuer")),
        ("postgres", "localhost", vec![flag("root-cert", &another), flag("ca", &ours), verify.clone()], IsReady),
        ("postgres", "localhost", vec![verify], Waits("UnknownIssuer")),
    ] {
        tls.check_flags(&dsn(user, host), &flags, &expected).await;
    }
    // An ignored flag is logged once, and the other flags apply.
    let flags = ["--embedmd-database-ssl-cipher=TLS_AES_128_GCM_SHA256".to_owned(), flag("cert", certificate)];
    let log = tls.check_flags(&dsn("postgres", "127.0.0.1"), &flags, &IsReady).await;
    for note in [
        "--embedmd-database-ssl-cipher ignored: database connections use TLS 1.2 or 1.3",
        "--embedmd-database-ssl-cert ignored: a client certificate for the database requires --embedmd-database-ssl-key",
    ] {
        assert_eq!(log.lines().filter(|line| line.contains(note)).count(), 1, "{note}:\n{log}");
    }
}

#[tokio::test]
async fn mariadb_is_reached_with_the_tls_options_of_the_url_or_dsn() {
    let Some(tls) = TlsDatabase::start(Backend::MariaDb).await else { return };
    let (ours, another) = (tls.file("ours.pem"), tls.file("another.pem"));
    let with = |files: &IssuedFiles| {
        format!("ssl-mode=REQUIRED&ssl-cert={}&ssl-key={}", files.certificate.display(), files.key.display())
    };
    for (user, host, parameters, expected) in [
        (None, "127.0.0.1", "ssl-mode=DISABLED".to_owned(), Waits("Access denied")),
        (None, "127.0.0.1", "ssl-mode=REQUIRED".to_owned(), IsReady),
        (None, "127.0.0.1", format!("ssl-mode=VERIFY_CA&ssl-ca={ours}"), IsReady),
        (None, "127.0.0.1", format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ours}"), Waits("not valid for name")),
        (None, "localhost", format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ours}"), IsReady),
        (None, "localhost", format!("ssl-mode=VERIFY_CA&ssl-ca={another}"), Waits("UnknownIssuer")),
        (Some(CERTIFIED_USER), "127.0.0.1", "ssl-mode=REQUIRED".to_owned(), Waits("Access denied")),
        (Some(CERTIFIED_USER), "127.0.0.1", with(&tls.client), IsReady),
    ] {
        tls.check_url(&tls.url(user, host, &parameters), &expected).await;
    }
    let verify = "--embedmd-database-ssl-verify-server-cert=true".to_owned();
    let IssuedFiles { certificate, key } = &tls.client;
    let (port, name) = url_parts(tls.database.url());
    let dsn = |user: &str, host: &str, tls: &str| format!("{user}:p@tcp({host}:{port})/{name}?charset=utf8mb4{tls}");
    for (dsn, flags, expected) in [
        (dsn("t", "127.0.0.1", "&tls=skip-verify"), vec![], IsReady),
        (dsn("t", "localhost", "&tls=true"), vec![], Waits("UnknownIssuer")),
        (dsn("t", "127.0.0.1", "&tls=false"), vec![], Waits("Access denied")),
        // parity: without the flag to verify, certificates are not checked.
        (dsn("t", "127.0.0.1", "&tls=false"), vec![flag("ca", &another)], IsReady),
        (dsn("t", "localhost", ""), vec![flag("ca", &ours), verify.clone()], IsReady),
        (dsn("t", "localhost", ""), vec![flag("root-cert", &another), verify.clone()], Waits("UnknownIssuer")),
        (
            dsn(CERTIFIED_USER, "localhost", ""),
            vec![flag("cert", certificate), flag("key", key), flag("ca", &ours), verify],
            IsReady,
        ),
    ] {
        tls.check_flags(&dsn, &flags, &expected).await;
    }
}

/// The port and the name of the database.
fn url_parts(url: &str) -> (String, String) {
    let (start, name) = url.rsplit_once('/').unwrap();
    (start.rsplit_once(':').unwrap().1.to_owned(), name.to_owned())
}

#[tokio::test]
async fn an_unusable_tls_file_ends_the_start_with_its_name() {
    let home = TempDir::new().unwrap();
    std::fs::write(home.path().join("empty.pem"), "").unwrap();
    let issued = Authority::new("ours").issue("localhost").write(home.path(), "issued").unwrap();
    let (certificate, key) = (issued.certificate.display(), issued.key.display());
    let url = |parameters: &str| format!("postgres://u:hidden@127.0.0.1:1/models?{parameters}");
    let directory = "`.` is a directory: use a file with certificates in PEM format";
    for (arguments, expected) in [
        (vec!["server".to_owned(), "--database".to_owned(), url("sslmode=verify-full&sslrootcert=no.pem")],
            "--database: invalid PostgreSQL DSN: `sslrootcert`: cannot read `no.pem`: No such file or directory (os error 2)".to_owned()),
        (vec!["server".to_owned(), "--database".to_owned(), url("sslcert=issued.pem")],
            "--database: invalid PostgreSQL DSN: `sslcert` is not enough: a client certificate needs both `sslcert` and `sslkey`".to_owned()),
        (vec!["server".to_owned(), "--database".to_owned(), format!("mysql://u@h/m?ssl-cert={certificate}&ssl-key={certificate}")],
            format!("--database: invalid MySQL DSN: `ssl-key`: `{certificate}` does not contain a private key in PEM format (`-----BEGIN …`)")),
        (vec!["proxy".to_owned(), "--embedmd-database-dsn=u@tcp(h:1)/m".to_owned(), flag("ca", ".")],
            format!("--embedmd-database-ssl-ca: {directory}")),
        (vec!["proxy".to_owned(), "--embedmd-database-dsn=u@tcp(h:1)/m".to_owned(), flag("root-cert", "empty.pem")],
            "--embedmd-database-ssl-root-cert: `empty.pem` does not contain certificates in PEM format (`-----BEGIN …`)".to_owned()),
        (vec!["proxy".to_owned(), "--embedmd-database-dsn=u@tcp(h:1)/m".to_owned(), flag("cert", &issued.key), flag("key", &issued.key)],
            format!("--embedmd-database-ssl-cert: `{key}` does not contain certificates in PEM format (`-----BEGIN …`)")),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = run_in(home.path(), &arguments, &[]).await;
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert_eq!(run.errors.trim_end(), format!("error: {expected}"), "{arguments:?}");
    }
}
