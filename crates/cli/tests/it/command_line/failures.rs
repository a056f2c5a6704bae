//! Failures: the message on standard error, the hint and the exit code.

use model_registry_testkit::Executable;

use crate::command_line::support::{Registry, command, shown, stable};
use crate::support::PROGRAM;

#[tokio::test]
async fn each_failure_has_its_message_hint_and_code() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r"
        model-registry register m v1 --output name
        model-registry models create m
        model-registry register m v1
        model-registry models get nothing
        model-registry models get 999
        model-registry versions get m/v9
        model-registry versions get v1
        model-registry versions create v2
        model-registry artifacts get weights
        model-registry models list --filter 'name ='
        model-registry models list --outptu json
        model-registry models list --output name --columns id
        model-registry models update m
        model-registry models update m --remove-property nothing
        model-registry models update m --owner a --clear owner
        model-registry models create id:5
        model-registry models create x --property y
        model-registry models create x --property y:int=z
        model-registry artifacts create x --type metric --uri s3://x
        model-registry artifacts create x --type metric --value much
        model-registry models archive m
        model-registry metrics plot nothing/first loss
        model-registry models list --server localhost:8080
        model-registry models list --server http://user:hunter2@host
        model-registry models list --token-file nothing
        model-registry models list --ca-file nothing
        "
    ));
}

#[tokio::test]
async fn an_unreachable_server_exits_with_code_6() {
    let home = tempfile::tempdir().unwrap();
    let output = command(home.path()).args(["models", "list", "--server", "http://127.0.0.1:9"]).output().unwrap();
    insta::assert_snapshot!(shown(&output), @"
    error: cannot reach http://127.0.0.1:9: Connection refused (os error 111)
    hint: start a server with `model-registry up`, or set its URL with --server, MR_SERVER or a profile
    [exit code 6]
    ");
}

/// Starts a server that returns the responses in order and repeats the last one; returns its URL.
fn fake_server(responses: Vec<(&'static str, &'static str)>) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let (status, body) = responses[number.min(responses.len() - 1)];
            let _ = stream.read(&mut [0; 8192]);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\netag: \"1-1\"\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

#[tokio::test]
async fn a_missing_permission_exits_with_code_5() {
    let home = tempfile::tempdir().unwrap();
    let (tokens, policy) = (home.path().join("tokens.toml"), home.path().join("policy.toml"));
    // The SHA-256 of `reader-token`.
    let hash = "ba5005a40cf5212e4ac0190104cc127edab013294bb71279a975b27a80982d45";
    std::fs::write(&tokens, format!("[[tokens]]\nuser = \"ada\"\nsha256 = \"{hash}\"\n")).unwrap();
    std::fs::write(&policy, "[[grants]]\nrole = \"reader\"\nusers = [\"ada\"]\n").unwrap();
    let server = Executable::launch(PROGRAM)
        .arguments(["server", "--port", "{port}", "--database", "sqlite:registry.db", "--auth-mode", "token"])
        .arguments(["--auth-tokens-file", tokens.to_str().unwrap(), "--auth-policy-file", policy.to_str().unwrap()])
        .start()
        .await
        .unwrap();
    let run = |arguments: &[&str], token: Option<&str>| {
        let mut command = command(home.path());
        command.args(arguments).env("MR_SERVER", server.base_url());
        token.map(|token| command.env("MR_TOKEN", token));
        shown(&command.output().unwrap())
    };
    let list = ["models", "list", "--columns", "name"];
    let hint = "the server requires a token: store one with `model-registry login`, or set --token-file or MR_TOKEN";
    let expected = format!("error: authentication required\nhint: {hint}\n[exit code 5]\n");
    assert_eq!(run(&list, None), expected);
    let refused = run(&list, Some("wrong-token"));
    let expected =
        "error: the server refused the token: authentication required\nhint: the token is unknown, expired or";
    assert!(refused.starts_with(expected) && refused.ends_with("[exit code 5]\n"), "{refused}");
    assert_eq!(run(&list, Some("reader-token")), "NAME\n");
    let expected = "error: `ada` lacks the right `write` in workspace `default`\n[exit code 5]\n";
    assert_eq!(run(&["models", "create", "m"], Some("reader-token")), expected);
}

#[test]
fn an_unavailable_server_exits_with_code_6() {
    let home = tempfile::tempdir().unwrap();
    let error = r#"{"code":"Service Unavailable","message":"the database is not available; try again later"}"#;
    let url = fake_server(vec![("503 Service Unavailable", error)]);
    for arguments in [["models", "list"].as_slice(), &["models", "create", "m"], &["models", "archive", "id:1", "-y"]] {
        let output = command(home.path()).args(arguments).args(["--server", &url]).output().unwrap();
        let expected = "error: the server is not available: the database is not available; try again later (request id \
                        00000000-0000-0000-0000-000000000000)\nhint: try again later\n[exit code 6]\n";
        assert_eq!(stable(&shown(&output)), expected, "{arguments:?}");
    }
}

#[test]
fn a_command_reports_that_it_retries_and_gives_up() {
    let home = tempfile::tempdir().unwrap();
    let error = r#"{"code":"Service Unavailable","message":"the database is not available"}"#;
    // The total time allows one retry after 10 s, not two.
    let url = fake_server(vec![("503 Service Unavailable\r\nretry-after: 10", error)]);
    let list = |arguments: &[&str]| {
        let output = command(home.path()).args(["models", "list", "--server", &url]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(6));
        stable(&String::from_utf8(output.stderr).unwrap())
    };
    let (notes, quiet) = std::thread::scope(|scope| {
        let quiet = scope.spawn(|| list(&["--quiet"]));
        (list(&[]), quiet.join().unwrap())
    });
    let error = "the server is not available: the database is not available (request id \
                 00000000-0000-0000-0000-000000000000)";
    let end = format!("error: {error}\nhint: try again later\n");
    assert_eq!(notes, format!("note: {error}; trying again in 10.0 s\n{end}"));
    assert_eq!(quiet, end);
}

#[test]
fn a_server_that_is_not_a_registry_is_recognized() {
    let home = tempfile::tempdir().unwrap();
    let url = fake_server(vec![("200 OK", "hello")]);
    let output = command(home.path()).args(["models", "get", "1"]).env("MR_SERVER", &url).output().unwrap();
    insta::assert_snapshot!(shown(&output).replace(&url, "http://SERVER"), @"
    error: http://SERVER does not respond like a model registry: expected value at line 1 column 1
    hint: check the URL of the server: --server, MR_SERVER or the profile
    [exit code 1]
    ");
}

#[test]
fn a_concurrent_change_exits_with_code_4() {
    let home = tempfile::tempdir().unwrap();
    let entity = r#"{"id":"1","name":"m","customProperties":{}}"#;
    let error = r#"{"code":"Precondition Failed","message":"the entity has changed"}"#;
    let url = fake_server(vec![("200 OK", entity), ("412 Precondition Failed", error)]);
    let output = command(home.path()).args(["models", "update", "1", "--property", "a=1", "--server", &url]).output();
    insta::assert_snapshot!(shown(&output.unwrap()), @"
    error: the entity has changed
    hint: the entity was changed concurrently: run the command again
    [exit code 4]
    ");
}
