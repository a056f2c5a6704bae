//! Failures at startup, corrupt rows, and shutdown.

use model_registry_testkit::{Backend, Executable, Ready, TestDatabase, free_port, on_each_database};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Client, PROGRAM, Response, Run, TIME_LIMIT, encoded, eventually, run_in, start_on};

on_each_database!(
    a_newer_schema_version_exits_with_code_1,
    an_outdated_database_server_exits_with_code_1_and_the_required_version,
    a_corrupt_row_affects_no_other_row
);

/// Runs a command in a new home directory.
async fn run(arguments: &[&str]) -> Run {
    let home = TempDir::new().unwrap();
    run_in(home.path(), arguments, &[]).await
}

#[tokio::test]
async fn invalid_flags_and_settings_exit_with_code_2_and_one_line() {
    for (arguments, named) in [
        (&["serve"][..], "serve"),
        (&["server", "--no-such-flag"], "--no-such-flag"),
        (&["server", "--port", "99999"], "99999"),
        (&["server", "--port", "x"], "port"),
        (&["server", "--database", "sqlite:x.db", "--listen", "127.0.0.1"], "listen"),
        (&["up", "--allowed-hosts", "https://registry.example.org"], "allowed-hosts"),
        (&["up", "--database-max-connections", "1"], "database-max-connections"),
        (&["up", "--telemetry-otlp-endpoint", "http://u:12/hidden@collector:4318"], "`/` as %2F"),
        (&["server", "--database", "redis://localhost"], "the form of the database URL is unknown"),
        (&["server", "--database", "sqlite:"], "use sqlite:PATH"),
        (&["server", "--database", "postgres://localhost"], "no database name"),
        (&["server", "--database", "mysql://localhost:x/models"], "invalid MySQL DSN"),
        (&["up", "--limits-request-timeout", "soon"], "request-timeout"),
        (&["proxy", "--embedmd-database-type", "oracle", "--embedmd-database-dsn", "x"], "oracle"),
    ] {
        let run = run(arguments).await;
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert!(run.reason().contains(named), "{arguments:?}: {run:?}");
    }
}

#[tokio::test]
async fn a_server_without_a_database_setting_is_refused_and_writes_nothing() {
    let home = TempDir::new().unwrap();
    for subcommand in ["server", "proxy"] {
        let run = run_in(home.path(), &[subcommand, "--listen", "127.0.0.1:0"], &[("MR_DATABASE", "")]).await;
        assert_eq!(run.code, Some(2), "{run:?}");
        let reason = run.reason();
        let expected = format!("error: --database: `{subcommand}` requires a database: set --database or MR_DATABASE");
        assert!(reason.starts_with(&expected) && reason.contains("`model-registry up`"), "{reason}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_misspelt_variable_stops_the_start_with_the_name_that_was_meant() {
    let home = TempDir::new().unwrap();
    for (name, nearest) in [("MR_DATABSE", "MR_DATABASE"), ("MR_DATABASE_URL", "MR_DATABASE"), ("MR_PROT", "MR_PORT")] {
        for subcommand in ["server", "proxy", "up", "catalog"] {
            let run = run_in(home.path(), &[subcommand, "--listen", "127.0.0.1:0"], &[(name, "sqlite:x.db")]).await;
            assert_eq!(run.code, Some(2), "{run:?}");
            let expected = format!("error: {name}: this is not a setting: did you mean {nearest}?");
            assert!(run.reason().starts_with(&expected), "{run:?}");
        }
    }
    let server = Executable::launch(PROGRAM).arguments(["server", "--port", "{port}", "--database", "sqlite:x.db"]);
    let server = server.variable("MR_UNHEARD_OF", "1").variable("MR_SERVICE_HOST", "10.0.0.1").start().await.unwrap();
    let log = server.log();
    assert_eq!(log.matches("MR_UNHEARD_OF is not a setting of this program").count(), 1, "{log}");
    assert!(!log.contains("MR_SERVICE_HOST"), "{log}");
}

#[tokio::test]
async fn the_configuration_file_of_the_kubeflow_model_registry_is_read() {
    let home = TempDir::new().unwrap();
    let named = home.path().join("mounted.yaml");
    std::fs::write(&named, "hostname: 127.0.0.1\ndatastore-type: embedmd\nlogtostderr: true\n").unwrap();
    let arguments = ["proxy", "--config", named.to_str().unwrap(), "--port", "{port}", "--database", "sqlite:x.db"];
    let server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
    Client::of(&server).create("registered_models", &json!({"name": "m"})).await;

    std::fs::write(home.path().join(".model-registry.yaml"), "hostnam: 127.0.0.1\n").unwrap();
    for (subcommand, is_read) in [("proxy", true), ("server", false)] {
        let run = run_in(home.path(), &[subcommand, "--listen", "nonsense", "--database", "sqlite:x.db"], &[]).await;
        assert_eq!(run.code, Some(2), "{run:?}");
        let errors = run.errors;
        assert_eq!(errors.contains("unknown key `hostnam`: did you mean `hostname`?"), is_read, "{errors}");
    }
}

#[tokio::test]
async fn help_lists_and_describes_every_subcommand() {
    let run = run(&["--help"]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    for subcommand in ["up", "server", "proxy", "catalog"] {
        let line = run.output.lines().find(|line| line.trim_start().starts_with(subcommand));
        assert!(line.is_some_and(|line| line.len() > 20), "{subcommand}: {}", run.output);
    }
}

#[tokio::test]
async fn an_unusable_database_path_exits_with_code_1_and_the_path() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path().to_str().unwrap();
    let text_file = format!("{directory}/notes.txt");
    std::fs::write(&text_file, "not a database at all, but long enough to be looked at: ".repeat(40)).unwrap();
    for (path, named) in [
        (format!("{text_file}/registry.db"), text_file.as_str()),
        ("/proc/none/registry.db".to_owned(), "/proc/none"),
        (directory.to_owned(), directory),
        (text_file.clone(), text_file.as_str()),
    ] {
        let url = format!("sqlite:{path}");
        let run = run(&["server", "--listen", "127.0.0.1:0", "--database", &url]).await;
        assert_eq!(run.code, Some(1), "{path}: {run:?}");
        assert!(run.reason().contains(named), "{path}: {run:?}");
        assert_alerted(&run);
    }
}

/// Asserts that the alert line of the Kubeflow Model Registry is logged once; operators monitor it.
#[track_caller]
fn assert_alerted(run: &Run) {
    let alerts = run.errors.lines().filter(|line| line.contains("{{ALERT}} error connecting to datastore"));
    assert_eq!(alerts.count(), 1, "{run:?}");
}

#[tokio::test]
async fn a_port_in_use_exits_with_code_1_and_a_remedy() {
    let listener = TcpListener::bind(("127.0.0.1", free_port().unwrap())).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for subcommand in ["up", "server", "proxy", "catalog"] {
        let run = run(&[subcommand, "--listen", &address, "--database", "sqlite::memory:"]).await;
        assert_eq!(run.code, Some(1), "{run:?}");
        let reason = format!(
            "error: cannot listen on {address}: the port is in use; stop the process that uses it or choose another port"
        );
        assert_eq!(run.reason(), reason);
    }
}

async fn a_newer_schema_version_exits_with_code_1(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    start_on(&database).await.terminate().await.unwrap();
    database.execute("INSERT INTO model_registry_migrations (version) VALUES (999)").await.unwrap();
    let run = run(&["server", "--listen", "127.0.0.1:0", "--database", database.url()]).await;
    assert_eq!(run.code, Some(1), "{run:?}");
    let reason = run.reason();
    assert!(reason.contains("the database has schema version 999, but this program supports only up to "), "{reason}");
    assert_alerted(&run);
}

async fn an_outdated_database_server_exits_with_code_1_and_the_required_version(backend: Backend) {
    // The replacement has as many characters as the version that it replaces.
    let (version, older, found, needed) = match backend {
        Backend::Sqlite => return,
        Backend::Postgres => (r"\b1[3-9](\.\d+)", "12$1", "PostgreSQL 12.", "PostgreSQL 13"),
        Backend::MariaDb => (r"\b1\d\.\d(\d?\.\d+-MariaDB)", "10.0$1", "MariaDB 10.0", "MariaDB 10.6"),
        Backend::MySql => (r"\b[89](\.\d+\.\d+)", "5$1", "MySQL 5.", "MySQL 8.0"),
    };
    let database = TestDatabase::create(backend).await.unwrap();
    let (start, name) = database.url().rsplit_once('/').unwrap();
    let (credentials, address) = start.rsplit_once('@').unwrap();
    let port = replacing_proxy(address, version, older).await;
    // MySQL uses TLS by default, which the proxy could not modify.
    let options = if backend == Backend::MySql { "?ssl-mode=DISABLED" } else { "" };
    let url = format!("{credentials}@127.0.0.1:{port}/{name}{options}");
    let run = run(&["server", "--listen", "127.0.0.1:0", "--database", &url]).await;
    assert_eq!(run.code, Some(1), "{run:?}");
    let reason = run.reason();
    let remedy = format!(", but {needed} or newer is required: upgrade it, or choose another one with --database");
    assert!(reason.starts_with(&format!("error: the database is {found}")), "{reason}");
    assert!(reason.ends_with(&remedy), "{reason}");
    assert_alerted(&run);
}

/// Starts a proxy to a database server that replaces a pattern in its responses; returns the port.
async fn replacing_proxy(address: &str, pattern: &str, replacement: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (address, pattern) = (address.to_owned(), regex::bytes::Regex::new(pattern).unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(&address).await.unwrap().into_split();
            let pattern = pattern.clone();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                    let replaced = pattern.replace_all(&buffer[..count], replacement.as_bytes());
                    if to_client.write_all(&replaced).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

async fn a_corrupt_row_affects_no_other_row(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    let broken = client.create("registered_models", &json!({"name": "broken"})).await;
    let whole = client.create("registered_models", &json!({"name": "whole"})).await;
    let version = json!({"name": "v", "registeredModelId": broken.as_str()});
    let version = client.create("model_versions", &version).await;
    database.execute("UPDATE resource SET document = 'garbage' WHERE name = 'broken'").await.unwrap();

    let path = format!("registered_models/{broken}");
    let responses = [
        client.get(&path).await,
        client.get("registered_model?name=broken").await,
        client.call("PATCH", &path, &[], Some(&json!({"description": "x"}))).await.unwrap(),
    ];
    for response in responses {
        check_corrupt(&server, &response);
    }
    let list = client.list_all("registered_models").await;
    assert_eq!(list.iter().map(|model| &model["name"]).collect::<Vec<_>>(), ["whole"]);
    assert!(server.log().contains("left out of a list"), "{}", server.log());
    assert_eq!(client.read(&format!("registered_models/{whole}")).await["name"], "whole");
    assert_eq!(client.read(&format!("model_versions/{version}")).await["name"], "v");
    let others = format!("registered_models?filterQuery={}", encoded("name != 'broken'"));
    assert_eq!(client.list_all(&others).await.len(), 1);
    client.create("registered_models", &json!({"name": "new"})).await;
    assert_eq!(client.get("/readyz/health").await.status, 200);

    // Damage in the middle of a document is noticed when the entity is read alone.
    let statement = "UPDATE resource SET document = REPLACE(document, '\"state\":', '\"state\"') WHERE name = 'whole'";
    database.execute(statement).await.unwrap();
    for path in [format!("registered_models/{whole}"), "registered_model?name=whole".to_owned()] {
        check_corrupt(&server, &client.get(&path).await);
    }
}

/// Asserts that the response is a 500 with a request id, and that the log has the corrupt row for that id.
fn check_corrupt(server: &Executable, response: &Response) {
    assert_eq!(response.status, 500, "{response:?}");
    assert_eq!(response.body["code"], "Internal Server Error", "{response:?}");
    let message = response.body["message"].as_str().unwrap();
    let request_id = message.strip_prefix("internal error (request id ").and_then(|rest| rest.strip_suffix(')'));
    let request_id = request_id.unwrap_or_else(|| panic!("{message}"));
    let log = server.log();
    let logged = log.lines().any(|line| line.contains(request_id) && line.contains("of table `resource` is corrupt"));
    assert!(logged, "request {request_id} is not in the log:\n{log}");
}

#[tokio::test]
async fn a_request_in_flight_completes_before_the_process_ends() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let mut server = start_on(&database).await;
    let address = ("127.0.0.1", server.port());
    let body = r#"{"name": "in flight"}"#;
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/model_registry/v1alpha3/registered_models HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    // The server requests the body, so the request has reached its handler.
    let mut interim = [0; 25];
    connection.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim[..], b"HTTP/1.1 100 Continue\r\n\r\n");

    let rest = async {
        eventually("the port is closed", async || TcpStream::connect(address).await.is_err()).await;
        connection.write_all(body.as_bytes()).await.unwrap();
        let mut response = String::new();
        tokio::time::timeout(TIME_LIMIT, connection.read_to_string(&mut response)).await.unwrap().unwrap();
        response
    };
    let (status, response) = tokio::join!(server.terminate(), rest);
    assert!(response.starts_with("HTTP/1.1 201 Created\r\n"), "{response}");
    assert!(status.unwrap().success(), "{}", server.log());
    server.start_again().await.unwrap();
    Client::of(&server).read("registered_model?name=in%20flight").await;
}

#[tokio::test]
async fn up_prints_addresses_and_an_example_and_keeps_its_data() {
    let mut server = Executable::launch(PROGRAM).arguments(["up", "--port", "{port}"]).start().await.unwrap();
    let client = Client::of(&server);
    let shown = server.log();
    let line = |label: &str| {
        let mut lines = shown.lines().filter_map(|line| line.trim_start().strip_prefix(label));
        lines.next().unwrap_or_else(|| panic!("no {label}: {shown}")).trim().to_owned()
    };
    let base = server.base_url();
    for (label, path, list) in [
        ("REST API", "/api/model_registry/v1alpha3", "/registered_models"),
        ("Catalog", "/api/model_catalog/v1alpha1", "/models"),
        ("API docs", "/docs", ""),
        ("Health", "/readyz/health", ""),
    ] {
        assert_eq!(line(label), format!("{base}{path}"), "{shown}");
        client.read(&format!("{path}{list}")).await;
    }
    let documents = line("OpenAPI");
    let documents: Vec<&str> = documents.split(" and ").collect();
    assert_eq!(documents.len(), 2, "{shown}");
    for document in documents {
        client.read(document.strip_prefix(&base).unwrap()).await;
    }
    let file = server.directory().join(".local/share/model-registry/registry.db");
    assert_eq!(line("Data"), format!("SQLite file {}", file.display()));
    assert!(file.is_file(), "{shown}");

    // The printed example works unchanged.
    let command = shown.lines().map(str::trim).find(|line| line.starts_with("curl ")).unwrap();
    let output = tokio::process::Command::new("sh").args(["-c", command]).output().await.unwrap();
    let response: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!((&response["name"], &response["state"]), (&json!("my-model"), &json!("LIVE")));

    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
    server.start_again().await.unwrap();
    client.read("registered_model?name=my-model").await;
}

#[tokio::test]
async fn each_role_serves_the_openapi_documents_of_its_apis() {
    let title = async |server: &Executable, path: &str| {
        Client::of(server).read(path).await["info"]["title"].as_str().unwrap().to_owned()
    };
    let arguments = |role| [role, "--port", "{port}", "--database", "sqlite:all.db"];
    let up = Executable::launch(PROGRAM).arguments(arguments("up")).start().await.unwrap();
    assert_eq!(title(&up, "/openapi.json").await, "Model Registry REST API");
    assert_eq!(title(&up, "/api/model_catalog/openapi.json").await, "Model Catalog REST API");
    let page = Client::of(&up).get("/docs/swagger-initializer.js").await.body;
    assert!(page.as_str().unwrap().contains("/api/model_catalog/openapi.json"), "{page}");

    let catalog = Executable::launch(PROGRAM).arguments(arguments("catalog"));
    let catalog = catalog.ready(Ready::Listening).start().await.unwrap();
    assert_eq!(title(&catalog, "/openapi.json").await, "Model Catalog REST API");
}
