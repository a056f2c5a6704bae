use std::path::PathBuf;

use model_registry_testkit::{Error, Executable, Ready, find_program};

/// A fake executable: unhealthy for the first three requests, exits with status 7 on SIGTERM.
const SERVER: &str = r#"
import http.server, os, signal, sys
print("home is", os.environ["HOME"], "and", os.environ.get("CARGO", "no cargo"), flush=True)
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
class Handler(http.server.BaseHTTPRequestHandler):
    requests = 0
    def do_GET(self):
        Handler.requests += 1
        self.send_response(200 if Handler.requests > 3 else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

fn python() -> Option<PathBuf> {
    let python = find_program("python3", &[]);
    if python.is_none() {
        eprintln!("skipped: python3 is not installed");
    }
    python
}

async fn status(server: &Executable) -> Option<u16> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(server.base_url()).send().await.ok().map(|response| response.status().as_u16())
}

#[tokio::test]
async fn start_waits_until_the_executable_is_healthy_and_it_can_be_stopped_and_started_again() {
    let Some(python) = python() else { return };
    let mut server = Executable::launch(python).arguments(["-c", SERVER, "{port}"]).start().await.unwrap();
    assert_eq!(status(&server).await, Some(200));
    assert!(server.resident_memory().unwrap() > 1_000_000);
    assert_eq!(server.terminate().await.unwrap().code(), Some(7));
    assert!(server.resident_memory().is_err());
    assert_eq!(status(&server).await, None);

    server.start_again().await.unwrap();
    assert_eq!(status(&server).await, Some(200));
    server.kill().await.unwrap();
    assert_eq!(status(&server).await, None);

    let line = format!("home is {} and no cargo\n", server.directory().display());
    assert!(server.log().contains(&line), "{}", server.log());
}

#[tokio::test]
async fn start_can_wait_for_the_port_only() {
    let Some(python) = python() else { return };
    let launch = Executable::launch(python).arguments(["-c", SERVER, "{port}"]).ready(Ready::Listening);
    let server = launch.start().await.unwrap();
    assert_eq!(status(&server).await, Some(503));
}

#[tokio::test]
async fn the_output_of_an_executable_that_ended_early_is_in_the_error() {
    let launch = Executable::launch("/bin/sh").arguments(["-c", "echo no such option: $WORD >&2; exit 3"]);
    let Err(Error::Failed { problem, log, .. }) = launch.variable("WORD", "{port}x").start().await else {
        panic!("it counts as started");
    };
    assert!(problem.contains("exit status: 3"), "{problem}");
    assert!(log.starts_with("no such option: ") && log.ends_with('x'), "{log}");
}
