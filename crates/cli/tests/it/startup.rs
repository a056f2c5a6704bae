//! What stops a start, what one bad row does, and how the process ends.

use model_registry_testkit::{Backend, Executable, Ready, TestDatabase, backends, free_port};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Answer, Client, PATIENCE, PROGRAM, Run, encoded, eventually, run_in, start_on};

/// Runs a command in a new home.
async fn run(arguments: &[&str]) -> Run {
    let home = TempDir::new().unwrap();
    run_in(home.path(), arguments, &[]).await
}

#[tokio::test]
async fn wrong_flags_and_settings_end_with_code_2_and_one_line_that_names_them() {
    for (arguments, named) in [
        (&["serve"][..], "serve"),
        (&["server", "--no-such-flag"], "--no-such-flag"),
        (&["server", "--port", "99999"], "99999"),
        (&["server", "--port", "x"], "port"),
        (&["server", "--listen", "127.0.0.1"], "listen"),
        (&["server", "--database", "redis://localhost"], "of no known form"),
        (&["server", "--database", "sqlite:"], "use sqlite:PATH"),
        (&["server", "--database", "postgres://localhost"], "names no database"),
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
async fn the_references_configuration_file_is_read() {
    let home = TempDir::new().unwrap();
    let named = home.path().join("mounted.yaml");
    std::fs::write(&named, "hostname: 127.0.0.1\ndatastore-type: embedmd\nlogtostderr: true\n").unwrap();
    let arguments = ["proxy", "--config", named.to_str().unwrap(), "--port", "{port}", "--database", "sqlite:x.db"];
    let server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
    Client::of(&server).create("registered_models", &json!({"name": "m"})).await;

    std::fs::write(home.path().join(".model-registry.yaml"), "hostnam: 127.0.0.1\n").unwrap();
    for (subcommand, is_read) in [("proxy", true), ("server", false)] {
        let run = run_in(home.path(), &[subcommand, "--listen", "nonsense"], &[]).await;
        assert_eq!(run.code, Some(2), "{run:?}");
        let errors = run.errors;
        assert_eq!(errors.contains("unknown key `hostnam`: did you mean `hostname`?"), is_read, "{errors}");
    }
}

#[tokio::test]
async fn help_lists_every_subcommand_and_what_it_is_for() {
    let run = run(&["--help"]).await;
    assert_eq!(run.code, Some(0), "{run:?}");
    for subcommand in ["up", "server", "proxy", "catalog"] {
        let line = run.output.lines().find(|line| line.trim_start().starts_with(subcommand));
        assert!(line.is_some_and(|line| line.len() > 20), "{subcommand}: {}", run.output);
    }
}

#[tokio::test]
async fn a_place_where_no_data_can_be_kept_ends_with_code_1_and_its_name() {
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

/// The line that those who watch logs of the reference wait for, once.
#[track_caller]
fn assert_alerted(run: &Run) {
    let alerts = run.errors.lines().filter(|line| line.contains("{{ALERT}} error connecting to datastore"));
    assert_eq!(alerts.count(), 1, "{run:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_ends_with_code_1_and_says_what_to_do() {
    let listener = TcpListener::bind(("127.0.0.1", free_port().unwrap())).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for subcommand in ["up", "server", "proxy", "catalog"] {
        let run = run(&[subcommand, "--listen", &address]).await;
        assert_eq!(run.code, Some(1), "{run:?}");
        let reason = format!(
            "error: cannot listen on {address}: the port is in use; stop the process that has it or choose another port"
        );
        assert_eq!(run.reason(), reason);
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_left_alone() {
    for backend in backends() {
        let database = TestDatabase::create(backend).await.unwrap();
        start_on(&database).await.terminate().await.unwrap();
        database.execute("INSERT INTO schema_migrations (version, dirty) VALUES (999, FALSE)").await.unwrap();
        let run = run(&["server", "--listen", "127.0.0.1:0", "--database", database.url()]).await;
        assert_eq!(run.code, Some(1), "{backend}: {run:?}");
        let reason = run.reason();
        assert!(reason.contains("the database has schema version 999, this program knows "), "{backend}: {reason}");
        assert_alerted(&run);
    }
}

#[tokio::test]
async fn a_database_server_that_is_too_old_ends_with_code_1_and_one_line_that_says_what_is_needed() {
    for backend in backends() {
        // What stands in for the version's first numbers has as many digits.
        let (version, older, found, needed) = match backend {
            Backend::Sqlite => continue,
            Backend::Postgres => (r"\b1[3-9](\.\d+)", "12$1", "PostgreSQL 12.", "PostgreSQL 13"),
            Backend::MariaDb => (r"\b1\d\.\d(\d?\.\d+-MariaDB)", "10.0$1", "MariaDB 10.0", "MariaDB 10.6"),
            Backend::MySql => (r"\b[89](\.\d+\.\d+)", "5$1", "MySQL 5.", "MySQL 8.0"),
        };
        let database = TestDatabase::create(backend).await.unwrap();
        let (start, name) = database.url().rsplit_once('/').unwrap();
        let (credentials, address) = start.rsplit_once('@').unwrap();
        let port = forge(address, version, older).await;
        // MySQL speaks TLS where it is not told otherwise, and nobody changes what is said there.
        let options = if backend == Backend::MySql { "?ssl-mode=DISABLED" } else { "" };
        let url = format!("{credentials}@127.0.0.1:{port}/{name}{options}");
        let run = run(&["server", "--listen", "127.0.0.1:0", "--database", &url]).await;
        assert_eq!(run.code, Some(1), "{backend}: {run:?}");
        let reason = run.reason();
        let remedy = format!("; {needed} or newer is needed: upgrade it, or name another one with --database");
        assert!(reason.starts_with(&format!("error: the database is {found}")), "{backend}: {reason}");
        assert!(reason.ends_with(&remedy), "{backend}: {reason}");
        assert_alerted(&run);
    }
}

/// Passes everything on to a database server, but replaces what it says; gives the port.
async fn forge(address: &str, said: &str, instead: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (address, said) = (address.to_owned(), regex::bytes::Regex::new(said).unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut asks, mut hears) = client.into_split();
            let (mut says, mut listens) = TcpStream::connect(&address).await.unwrap().into_split();
            let said = said.clone();
            tokio::spawn(async move { tokio::io::copy(&mut asks, &mut listens).await });
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = says.read(&mut buffer).await {
                    if hears.write_all(&said.replace_all(&buffer[..count], instead.as_bytes())).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_corrupt_row_fails_alone() {
    for backend in backends() {
        let database = TestDatabase::create(backend).await.unwrap();
        let server = start_on(&database).await;
        let client = Client::of(&server);
        let broken = client.create("registered_models", &json!({"name": "broken"})).await;
        let whole = client.create("registered_models", &json!({"name": "whole"})).await;
        let version = json!({"name": "v", "registeredModelId": broken.as_str()});
        let version = client.create("model_versions", &version).await;
        database.execute("UPDATE resource SET document = 'garbage' WHERE name = 'broken'").await.unwrap();

        let path = format!("registered_models/{broken}");
        let answers = [
            client.get(&path).await,
            client.get("registered_model?name=broken").await,
            client.call("PATCH", &path, &[], Some(&json!({"description": "x"}))).await.unwrap(),
        ];
        for answer in answers {
            assert_told_as_corrupt(&server, &answer, backend);
        }
        let list = client.list_all("registered_models").await;
        assert_eq!(list.iter().map(|model| &model["name"]).collect::<Vec<_>>(), ["whole"], "{backend}");
        assert!(server.log().contains("left out of a list"), "{backend}: {}", server.log());
        assert_eq!(client.read(&format!("registered_models/{whole}")).await["name"], "whole", "{backend}");
        assert_eq!(client.read(&format!("model_versions/{version}")).await["name"], "v", "{backend}");
        let others = format!("registered_models?filterQuery={}", encoded("name != 'broken'"));
        assert_eq!(client.list_all(&others).await.len(), 1, "{backend}");
        client.create("registered_models", &json!({"name": "new"})).await;
        assert_eq!(client.get("/readyz/health").await.status, 200, "{backend}");

        // Damage in the middle is noticed where an entity is read by itself.
        let statement =
            "UPDATE resource SET document = REPLACE(document, '\"state\":', '\"state\"') WHERE name = 'whole'";
        database.execute(statement).await.unwrap();
        for path in [format!("registered_models/{whole}"), "registered_model?name=whole".to_owned()] {
            assert_told_as_corrupt(&server, &client.get(&path).await, backend);
        }
    }
}

/// Whether an answer says that it is our fault, and the log which row it is.
fn assert_told_as_corrupt(server: &Executable, answer: &Answer, backend: Backend) {
    assert_eq!(answer.status, 500, "{backend}: {answer:?}");
    assert_eq!(answer.body["code"], "Internal Server Error", "{backend}: {answer:?}");
    let message = answer.body["message"].as_str().unwrap();
    let request_id = message.strip_prefix("internal error (request id ").and_then(|rest| rest.strip_suffix(')'));
    let request_id = request_id.unwrap_or_else(|| panic!("{backend}: {message}"));
    let log = server.log();
    let logged = log.lines().any(|line| line.contains(request_id) && line.contains("of table `resource` is corrupt"));
    assert!(logged, "{backend}: the log does not tell about request {request_id}:\n{log}");
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_process_ends() {
    let database = TestDatabase::create(backends()[0]).await.unwrap();
    let mut server = start_on(&database).await;
    let address = ("127.0.0.1", server.port());
    let body = r#"{"name": "in flight"}"#;
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/model_registry/v1alpha3/registered_models HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request has reached its handler.
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked[..], b"HTTP/1.1 100 Continue\r\n\r\n");

    let rest = async {
        eventually("the port is closed", async || TcpStream::connect(address).await.is_err()).await;
        connection.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, connection.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    };
    let (status, answer) = tokio::join!(server.terminate(), rest);
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(status.unwrap().success(), "{}", server.log());
    server.start_again().await.unwrap();
    Client::of(&server).read("registered_model?name=in%20flight").await;
}

#[tokio::test]
async fn up_shows_where_everything_is_how_to_begin_and_keeps_its_data() {
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

    // The line to begin with works as it stands there.
    let command = shown.lines().map(str::trim).find(|line| line.starts_with("curl ")).unwrap();
    let output = tokio::process::Command::new("sh").args(["-c", command]).output().await.unwrap();
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!((&answer["name"], &answer["state"]), (&json!("my-model"), &json!("LIVE")));

    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
    server.start_again().await.unwrap();
    client.read("registered_model?name=my-model").await;
}

#[tokio::test]
async fn each_role_serves_the_documents_of_its_apis() {
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
