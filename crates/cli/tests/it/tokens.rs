//! `token`: creation, hashing and checking of static tokens, and a server that accepts a created token.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use model_registry_testkit::Executable;
use tempfile::TempDir;

use crate::support::{Client, PROGRAM, eventually, role_on};

fn run(home: &TempDir, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("token").args(arguments).env_clear().env("HOME", home.path()).current_dir(home.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads no input may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn succeeds(home: &TempDir, arguments: &[&str], input: &str) -> String {
    let output = run(home, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    text(&output.stdout)
}

#[tokio::test]
async fn a_created_token_is_accepted_by_a_running_server_and_is_not_stored() {
    let home = TempDir::new().unwrap();
    let first = succeeds(&home, &["create", "--user", "ci", "--group", "bots", "--file", "tokens.toml"], "");
    let file = home.path().join("tokens.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let arguments = ["--auth-mode", "token", "--auth-tokens-file", file.to_str().unwrap()];
    let server: Executable = role_on("server", "sqlite:x.db").arguments(arguments).start().await.unwrap();
    let client = Client::of(&server);
    let status = async |token: &str| {
        let authorization = format!("Bearer {}", token.trim());
        let headers = [("authorization", authorization.as_str())];
        client.call("GET", "registered_models", &headers, None).await.unwrap().status
    };
    assert_eq!(status(&first).await, 200);
    // A token that is added while the server runs; the first one stays valid.
    let second = succeeds(&home, &["create", "--user", "ada", "--file", "tokens.toml"], "");
    eventually("the file is read again", async || status(&second).await == 200).await;
    assert_eq!(status(&first).await, 200);
    assert_eq!(status("mr_0000").await, 401);

    let content = std::fs::read_to_string(&file).unwrap();
    assert!(!content.contains(first.trim()) && !content.contains(second.trim()), "{content}");
    assert_eq!(succeeds(&home, &["check", "tokens.toml"], ""), "ci (bots)\nada\n");
    assert_eq!(succeeds(&home, &["check", "tokens.toml", "--stdin"], &second), "ada\n");
    let user = server.log().lines().filter(|line| line.contains(r#""user":"ci""#)).count();
    assert!(user > 0, "no user in the access log: {}", server.log());
    assert!(!server.log().contains(first.trim()), "{}", server.log());
}

#[test]
fn without_a_file_the_entry_is_printed_and_the_token_goes_to_standard_error() {
    let home = TempDir::new().unwrap();
    let output = run(&home, &["create", "--user", "ada"], "");
    let (entry, note) = (text(&output.stdout), text(&output.stderr));
    let token = note.lines().last().unwrap();
    let hash = succeeds(&home, &["hash"], token);
    assert_eq!(entry, format!("[[tokens]]\nuser = \"ada\"\nsha256 = \"{}\"\n", hash.trim()));
    std::fs::write(home.path().join("tokens.toml"), &entry).unwrap();
    assert_eq!(succeeds(&home, &["check", "tokens.toml", "--stdin"], &format!("{token}\n")), "ada\n");
    let json = succeeds(&home, &["create", "--user", "ci", "--output", "json"], "");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(succeeds(&home, &["hash"], json["token"].as_str().unwrap()).trim(), json["sha256"]);
}

#[test]
fn mistakes_change_nothing() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("tokens.toml");
    let broken = "[[tokens]]\nuser = \"ci\"\nsha256 = \"planted\"\n";
    std::fs::write(&file, broken).unwrap();
    for (arguments, input, code, message) in [
        (&["create", "--user", "x", "--file", "tokens.toml"][..], "", 2, "tokens.toml:3:10: `sha256` must be 64 hex"),
        (&["create", "--user", " "], "", 2, "a name has 1 to 256 bytes"),
        (&["create", "--user", "x", "--file", "no/dir/tokens.toml"], "", 1, "cannot write no/dir/tokens.toml"),
        (&["check", "tokens.toml"], "", 2, "tokens.toml:3:10: `sha256` must be 64 hexadecimal digits"),
        (&["check", "nothing.toml"], "", 2, "cannot read `nothing.toml`"),
        (&["hash"], " \n", 2, "there is no token on standard input"),
    ] {
        let output = run(&home, arguments, input);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(message) && !errors.contains("planted"), "{arguments:?}: {errors}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    std::fs::write(&file, "").unwrap();
    assert_eq!(run(&home, &["check", "tokens.toml", "--stdin"], "unknown").status.code(), Some(3));
}
