//! Transfers through the executable: the registry on either end, kills, signals, output.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use model_registry_testkit::{
    Authority, Executable, FileServer, S3_BUCKET, S3_SECRET_KEY, S3Server, TestDatabase, TlsFront,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::support::{PROGRAM, Run, TIME_LIMIT, eventually, run_in, start_on};

/// The smallest part, so that the file has several.
const PART: usize = 5 << 20;

fn weights() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..(6 * PART / 8)).flat_map(|_| next()).chain([1, 2, 3]).collect()
}

fn json(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.output).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

/// Starts a transfer whose requests are slow, so that it can be ended in the middle.
fn start(home: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(["transfer", "--part-size", "5MiB", "--files-at-once", "1", "--memory", "5MiB"]).args(arguments);
    command.env_clear().env("HOME", home).envs(variables.iter().map(|(name, value)| (*name, value))).current_dir(home);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

async fn rerun(home: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Run {
    let arguments = [&["transfer", "--part-size", "5MiB", "--output", "json"], arguments].concat();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    run_in(home, &arguments, &variables).await
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_was_killed_continues() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let content = weights();
    fs::create_dir(server.bucket().join("m")).unwrap();
    fs::write(server.bucket().join("m/weights.bin"), &content).unwrap();
    fs::write(server.bucket().join("m/config.json"), "{}").unwrap();
    let source = format!("s3://{S3_BUCKET}/m");
    server.slow_down(std::time::Duration::from_millis(150));
    // Killed at several places, again and again.
    for requests in [5, 3, 4] {
        let mut child = start(home.path(), &[&source, "model"], &server.variables());
        let mut seen = 0;
        eventually("requests of the transfer", async || {
            seen += server.requests().len();
            seen >= requests
        })
        .await;
        let _ = child.start_kill();
        child.wait().await.unwrap();
        assert!(!home.path().join("model/weights.bin").exists(), "an incomplete file does not appear");
    }
    server.slow_down(std::time::Duration::ZERO);
    let report = json(&rerun(home.path(), &[&source, "model"], &server.variables()).await);
    assert_eq!(fs::read(home.path().join("model/weights.bin")).unwrap(), content);
    assert!(report["copiedBytes"].as_u64().unwrap() < content.len() as u64, "{report}");
    let names: Vec<_> =
        fs::read_dir(home.path().join("model")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the state is removed at the end: {names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_killed_continues_and_sends_no_part_twice_that_the_store_has() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let content = weights();
    fs::write(home.path().join("weights.bin"), &content).unwrap();
    let destination = format!("s3://{S3_BUCKET}/m/weights.bin");
    server.slow_down(std::time::Duration::from_millis(150));
    let mut child = start(home.path(), &["weights.bin", &destination], &server.variables());
    let mut parts = 0;
    eventually("three parts", async || {
        parts += server.requests().iter().filter(|(_, target)| target.contains("partNumber")).count();
        parts >= 3
    })
    .await;
    let _ = child.start_kill();
    child.wait().await.unwrap();
    let sent = server.received();
    server.slow_down(std::time::Duration::ZERO);
    let report = json(&rerun(home.path(), &["weights.bin", &destination], &server.variables()).await);
    assert_eq!(report["uri"], destination.as_str());
    assert_eq!(fs::read(server.bucket().join("m/weights.bin")).unwrap(), content);
    let again = (sent + server.received()).saturating_sub(content.len() as u64);
    assert!(again <= PART as u64, "{again} bytes were sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_transfer_cleans_up_and_says_so() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    fs::write(server.bucket().join("weights.bin"), weights()).unwrap();
    server.slow_down(std::time::Duration::from_millis(100));
    let child = start(home.path(), &[&format!("s3://{S3_BUCKET}/weights.bin"), "model/"], &server.variables());
    let mut seen = 0;
    eventually("requests of the transfer", async || {
        seen += server.requests().len();
        seen >= 4
    })
    .await;
    signal(&child, Signal::TERM);
    let output = tokio::time::timeout(TIME_LIMIT, child.wait_with_output()).await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.ends_with("error: cancelled\n"), "{errors}");
    assert_eq!(fs::read_dir(home.path().join("model")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_json_lines_and_no_output_contains_a_secret() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    fs::write(home.path().join("a.bin"), "content").unwrap();
    let variables = server.variables();
    let run = rerun(home.path(), &["a.bin", &format!("s3://{S3_BUCKET}/")], &variables).await;
    assert_eq!(json(&run)["files"][0]["path"], "a.bin");
    let events: Vec<Value> = run.errors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        events[0],
        serde_json::json!({"event": "planned", "files": 1, "bytes": 7, "files_there": 0, "bytes_there": 0})
    );
    assert_eq!((&events[1]["event"], &events[1]["path"]), (&"finished".into(), &"a.bin".into()));
    let failed = rerun(home.path(), &["a.bin", "s3://no-such-bucket/"], &variables).await;
    for run in [&run, &failed] {
        assert!(!run.output.contains(S3_SECRET_KEY) && !run.errors.contains(S3_SECRET_KEY), "{run:?}");
    }
    let quiet = rerun(home.path(), &["a.bin", "b.bin", "--quiet"], &[]).await;
    assert_eq!((quiet.code, quiet.errors.as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_is_trusted_by_option_or_variable_only() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    server.publish("/a.bin", "content");
    let authority = Authority::new("web servers");
    let address = server.url("").trim_start_matches("http://").parse().unwrap();
    let front = TlsFront::start(&authority, address).await.unwrap();
    fs::write(home.path().join("authority.pem"), authority.certificate()).unwrap();
    let url = format!("{}/a.bin", front.base_url());
    let refused = rerun(home.path(), &[&url, "refused.bin"], &[]).await;
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.reason().contains("authority that is not trusted"), "{refused:?}");
    json(&rerun(home.path(), &[&url, "option.bin", "--ca-file", "authority.pem"], &[]).await);
    json(&rerun(home.path(), &[&url, "variable.bin"], &[("MR_CA_FILE", "authority.pem".to_owned())]).await);
    assert_eq!(fs::read_to_string(home.path().join("variable.bin")).unwrap(), "content");
}

/// Commands with the registry.
struct Registry {
    server: Executable,
    _database: TestDatabase,
    home: tempfile::TempDir,
}

impl Registry {
    async fn start() -> Self {
        let database = TestDatabase::create(model_registry_testkit::Backend::Sqlite).await.unwrap();
        let server = start_on(&database).await;
        Self { server, _database: database, home: tempfile::tempdir().unwrap() }
    }

    async fn run(&self, arguments: &[&str]) -> Run {
        run_in(self.home.path(), arguments, &[("MR_SERVER", &self.server.base_url())]).await
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_registered_with_their_digest_and_verified_when_they_are_copied_back() {
    let registry = Registry::start().await;
    fs::create_dir(registry.path("model")).unwrap();
    fs::write(registry.path("model/a"), "1").unwrap();
    fs::write(registry.path("model/b"), "2").unwrap();
    let transfer = ["transfer", "model", "store", "--register", "fraud", "v1", "--output", "json"];
    let registered = json(&registry.run(&transfer).await);
    assert_eq!(registered["registered"]["version"], "fraud/v1");

    let artifacts = json(&registry.run(&["artifacts", "list", "--version", "fraud/v1", "--output", "json"]).await);
    let artifact = &artifacts[0];
    assert_eq!(artifact["uri"], registered["uri"]);
    assert_eq!(artifact["customProperties"]["digest"]["string_value"], registered["digest"]);
    assert_eq!(artifact["customProperties"]["size"]["double_value"], 2.0);

    // An existing version is a conflict before any byte moves.
    let again = registry.run(&["transfer", "model", "second", "--register", "fraud", "v1"]).await;
    assert_eq!((again.code, registry.path("second").exists()), (Some(4), false), "{again:?}");

    for arguments in [["--from", "fraud", "v1", "copy"].as_slice(), &["model-registry://fraud", "copy-of-newest"]] {
        let copied = registry.run(&[&["transfer"], arguments].concat()).await;
        assert_eq!(copied.code, Some(0), "{copied:?}");
        assert_eq!(fs::read_to_string(registry.path(arguments.last().unwrap()).join("b")).unwrap(), "2");
    }

    // The files at the registered place are not those that were registered any more.
    fs::write(registry.path("store/b"), "3").unwrap();
    let damaged = registry.run(&["transfer", "--from", "fraud", "v1", "damaged"]).await;
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert!(damaged.reason().contains("not those that were registered"), "{damaged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_message_and_exit_code() {
    let registry = Registry::start().await;
    fs::write(registry.path("a"), "1").unwrap();
    let version = registry.run(&["register", "empty", "v1"]).await;
    assert_eq!(version.code, Some(0), "{version:?}");
    for (arguments, code, part) in [
        (["a"].as_slice(), 2, "DEST is missing"),
        (&["a", "s4://bucket/x"], 2, "did you mean `s3`?"),
        (&["a", "https://host/x"], 2, "nothing can be written to https://host/x"),
        (&["a", "a"], 2, "itself"),
        (&["missing", "x"], 3, "missing: not found"),
        (&["--from", "fraud", "v1", "x"], 3, "no model named `fraud`"),
        (&["--from", "empty", "v2", "x"], 3, "no version named `v2`"),
        (&["--from", "empty", "v1", "x"], 3, "no model artifact with the location"),
        (&["--from", "empty", "v1", "x", "y"], 2, "only DEST follows"),
        (&["a", "x", "--part-size", "1MiB"], 2, "the size of a part"),
    ] {
        let run = registry.run(&[&["transfer", "--quiet"], arguments].concat()).await;
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
        assert!(run.reason().contains(part), "{arguments:?}: {run:?}");
    }
}
