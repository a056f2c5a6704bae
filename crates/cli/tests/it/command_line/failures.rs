//! What goes wrong is said on the standard error, with a hint, and has its exit code.

use std::process::Command;

use crate::command_line::support::{Registry, command, shown};

fn code(command: &mut Command) -> i32 {
    let output = command.output().unwrap();
    assert!(!output.stderr.is_empty());
    assert!(output.stdout.is_empty(), "{}", shown(&output));
    output.status.code().unwrap()
}

#[tokio::test]
async fn each_failure_has_its_message_hint_and_code() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
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
        "#
    ));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_code_6() {
    let home = tempfile::tempdir().unwrap();
    let output = command(home.path()).args(["models", "list", "--server", "http://127.0.0.1:9"]).output().unwrap();
    insta::assert_snapshot!(shown(&output), @"
    error: cannot reach http://127.0.0.1:9: Connection refused (os error 111)
    hint: start a server with `model-registry up`, or name one with --server, MR_SERVER or a profile
    [exit code 6]
    ");
}

/// Answers every connection alike.
fn answering(answer: &'static str) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 65_536]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn who_may_not_is_code_5() {
    let home = tempfile::tempdir().unwrap();
    let answers = [
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 47\r\nconnection: close\r\n\r\n\
         {\"code\":\"Unauthorized\",\"message\":\"who are you\"}\n",
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 39\r\nconnection: close\r\n\r\n\
         {\"code\":\"Forbidden\",\"message\":\"no right\"}",
    ];
    for answer in answers {
        assert_eq!(code(command(home.path()).args(["models", "list"]).env("MR_SERVER", answering(answer))), 5);
    }
}

#[test]
fn something_that_is_no_registry_is_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let url = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
    let output = command(home.path()).args(["models", "get", "1"]).env("MR_SERVER", &url).output().unwrap();
    insta::assert_snapshot!(shown(&output).replace(&url, "http://SERVER"), @"
    error: http://SERVER did not answer like a model registry: expected value at line 1 column 1
    hint: check the address: --server, MR_SERVER or the profile
    [exit code 1]
    ");
}
