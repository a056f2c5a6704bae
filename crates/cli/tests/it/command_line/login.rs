//! `login`, `logout` and `profiles`: what they store, and that no output contains a token.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use model_registry_testkit::{Authority, Executable};
use tempfile::TempDir;

use crate::command_line::support::{Registry, command, shown};
use crate::command_line::terminal::Terminal;
use crate::support::PROGRAM;

const TOKEN: &str = "reader-token";
/// The SHA-256 of [`TOKEN`].
const HASH: &str = "ba5005a40cf5212e4ac0190104cc127edab013294bb71279a975b27a80982d45";

/// A server that requires a token, and a home directory.
struct Protected {
    server: Executable,
    home: TempDir,
}

impl Protected {
    async fn start() -> Self {
        let server = Executable::launch(PROGRAM)
            .arguments(["server", "--port", "{port}", "--database", "sqlite:registry.db", "--auth-mode", "token"])
            .arguments(["--auth-tokens-file", "tokens.toml", "--auth-policy-file", "policy.toml"])
            .file("tokens.toml", &format!("[[tokens]]\nuser = \"ada\"\nsha256 = \"{HASH}\"\n"))
            .file("policy.toml", "[[grants]]\nrole = \"writer\"\nusers = [\"ada\"]\n")
            .start()
            .await
            .unwrap();
        Self { server, home: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".config/model-registry/client.toml")
    }

    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = command(self.home.path());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let text = shown(&child.wait_with_output().unwrap());
        assert!(!text.contains(TOKEN), "{arguments:?}: {text}");
        text.replace(&self.server.base_url(), "http://SERVER")
            .replace(&format!("127.0.0.1:{}", self.server.port()), "HOST")
            .replace(&self.home.path().display().to_string(), "~")
    }
}

#[tokio::test]
async fn a_token_is_checked_stored_used_and_removed() {
    let protected = Protected::start().await;
    let url = protected.server.base_url();
    let run = |arguments: &[&str], input: &str| protected.run(arguments, input);
    insta::assert_snapshot!(
        [
            run(&["models", "list", "--server", &url], ""),
            run(&["login", &url], "wrong\n"),
            run(&["login", &url], ""),
            run(&["profiles", "list"], ""),
            run(&["login", &url, "--profile", "test"], &format!("{TOKEN}\n")),
            run(&["models", "create", "m"], ""),
            run(&["profiles", "list"], ""),
            run(&["profiles", "show", "test"], ""),
            run(&["profiles", "list", "--output", "json"], ""),
            run(&["login", &url, "--profile", "other"], TOKEN),
            run(&["profiles", "use", "other"], ""),
            run(&["profiles", "set", "other", "--unset", "server"], ""),
            run(&["login", &url, "--profile", "other"], TOKEN),
            run(&["profiles", "set", "other", "--server", "http://127.0.0.1:1"], ""),
            run(&["profiles", "set", "other", "--output-format", "name", "--unset", "server"], ""),
            run(&["profiles", "set", "other", "--server", "127.0.0.1"], ""),
            run(&["profiles", "set", "other"], ""),
            run(&["profiles", "show", "other"], ""),
            run(&["profiles", "remove", "other"], ""),
            run(&["profiles", "use", "other"], ""),
            run(&["logout"], ""),
            run(&["logout", "--profile", "test"], ""),
            run(&["logout", "--profile", "test"], ""),
            run(&["models", "list", "--profile", "test"], ""),
        ]
        .join("\n")
    );
    assert_eq!(fs::metadata(protected.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(protected.file()).unwrap().contains(TOKEN));
}

#[tokio::test]
async fn a_token_typed_on_a_terminal_is_not_shown() {
    let protected = Protected::start().await;
    let mut login = command(protected.home.path());
    login.args(["login", &protected.server.base_url()]).env("NO_COLOR", "1");
    let mut terminal = Terminal::run(&mut login);
    terminal.wait_for("(not shown):");
    terminal.type_line(TOKEN);
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains(TOKEN), "{seen}");
    assert!(fs::read_to_string(protected.file()).unwrap().contains(TOKEN));
}

#[tokio::test]
async fn a_file_with_tokens_that_others_can_read_is_reported() {
    let protected = Protected::start().await;
    protected.run(&["login", &protected.server.base_url()], TOKEN);
    fs::set_permissions(protected.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let list = |arguments: &[&str]| protected.run(&[&["models", "list", "--output", "name"], arguments].concat(), "");
    let expected = "note: other users can read the tokens in ~/.config/model-registry/client.toml: run `chmod 600 \
                    ~/.config/model-registry/client.toml`\n";
    assert_eq!(list(&[]), expected);
    assert_eq!(list(&["--quiet"]), "");
}

#[tokio::test]
async fn there_is_nothing_to_log_in_to_without_authentication() {
    let registry = Registry::start().await;
    let transcript = registry.transcript("echo token | model-registry login");
    insta::assert_snapshot!(transcript, @"
    $ echo token | model-registry login
    error: the server accepts requests without a token: there is nothing to log in to
    hint: `model-registry profiles set NAME --server URL` stores the address of a server
    [exit code 1]
    ");
}

#[tokio::test]
async fn an_untrusted_certificate_and_a_wrong_scheme_have_their_own_hints() {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new("test authority");
    let files = authority.issue("localhost").write(home.path(), "server").unwrap();
    let ca_file = home.path().join("ca.pem");
    fs::write(&ca_file, authority.certificate()).unwrap();
    let (certificate, key) = (files.certificate.display().to_string(), files.key.display().to_string());
    let tls = Executable::launch(PROGRAM)
        .arguments(["server", "--port", "{port}", "--database", "sqlite:registry.db"])
        .arguments(["--tls-cert", &certificate, "--tls-key", &key])
        .ready(model_registry_testkit::Ready::Listening)
        .start()
        .await
        .unwrap();
    let plain = Registry::start().await;
    let run = |server: String, more: &[&str]| {
        let mut list = command(home.path());
        let output =
            list.args(["models", "list", "--output", "name", "--server", &server]).args(more).output().unwrap();
        shown(&output).replace(&tls.port().to_string(), "TLS").replace(&plain.server.port().to_string(), "PLAIN")
    };
    let (tls_host, plain_host) = (format!("localhost:{}", tls.port()), format!("localhost:{}", plain.server.port()));
    insta::assert_snapshot!(
        [
            run(format!("https://{tls_host}"), &[]),
            run(format!("https://{plain_host}"), &[]),
            run(format!("http://{tls_host}"), &[]),
            run("http://no-such-host.invalid".to_owned(), &[]),
        ]
        .join("\n")
    );
    let trusted = run(format!("https://{tls_host}"), &["--ca-file", ca_file.to_str().unwrap()]);
    assert_eq!(trusted, "");
    let other_name = run(format!("https://127.0.0.1:{}", tls.port()), &["--ca-file", ca_file.to_str().unwrap()]);
    assert!(other_name.contains("is for another name"), "{other_name}");
}
