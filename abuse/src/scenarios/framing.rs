//! Requests whose end is ambiguous: request smuggling.

use anyhow::Result;
use futures::future::join_all;

use crate::abused::Abused;
use crate::raw::{exchange, statuses};
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "framing",
    about: "conflicting lengths, encodings, chunks and heads: at most one response, and none is a success",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

/// Hidden in a body: its response would be a second one, with 200.
const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    abused.begin();
    let address = abused.address();
    let sending = requests().into_iter().map(|(what, request)| async move {
        exchange(address, request.as_bytes()).await.map(|received| (what, statuses(&received)))
    });
    for result in join_all(sending).await {
        let (what, statuses) = result?;
        let is_rejected =
            statuses.len() <= 1 && statuses.iter().all(|status| (400..500).contains(status) || *status == 501);
        abused.expect(is_rejected, || format!("{what}: {statuses:?}"));
    }
    abused.finish().await
}

fn requests() -> Vec<(&'static str, String)> {
    let post = |headers: &str, body: &str| {
        format!(
            "POST /api/model_registry/v1alpha3/registered_models HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}"
        )
    };
    let chunks = |body: &str| post(CHUNKED, body);
    let length = HIDDEN.len();
    vec![
        ("two lengths", post(&format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), HIDDEN)),
        ("a list of lengths", post(&format!("Content-Length: 0, {length}\r\n"), HIDDEN)),
        ("a length with a sign", post("Content-Length: +0\r\n", HIDDEN)),
        ("a negative length", post("Content-Length: -1\r\n", HIDDEN)),
        ("a hexadecimal length", post("Content-Length: 0x0\r\n", HIDDEN)),
        ("a length that overflows", post("Content-Length: 18446744073709551616\r\n", HIDDEN)),
        (
            "a request within the only chunk, with a length",
            post(&format!("{CHUNKED}Content-Length: 4\r\n"), &format!("{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n")),
        ),
        (
            "an encoding that ends with another one",
            post("Transfer-Encoding: chunked, identity\r\n", &format!("0\r\n\r\n{HIDDEN}")),
        ),
        ("an encoding that is not known", post("Transfer-Encoding: xchunked\r\n", HIDDEN)),
        ("a folded encoding", post("Transfer-Encoding:\r\n chunked\r\n", &format!("0\r\n\r\n{HIDDEN}"))),
        ("a space in front of a colon", post(&format!("Content-Length : {length}\r\n"), HIDDEN)),
        ("a null character in a header", post("X: a\0b\r\n", HIDDEN)),
        ("a carriage return in a header", post("X: a\rContent-Length: 0\r\n", HIDDEN)),
        ("a chunk size that is not a number", chunks(&format!("ZZ\r\n{HIDDEN}"))),
        ("a negative chunk size", chunks(&format!("-1\r\n{HIDDEN}"))),
        ("a chunk size with a prefix", chunks(&format!("0x0\r\n\r\n{HIDDEN}"))),
        ("a chunk size that overflows", chunks(&format!("10000000000000000\r\n\r\n{HIDDEN}"))),
        ("a chunk longer than its size", chunks(&format!("1\r\n{HIDDEN}\r\n0\r\n\r\n"))),
        ("an endless chunk extension", chunks(&format!("1;{}", "x".repeat(1 << 20)))),
        ("endless trailers", chunks(&format!("1\r\n{{\r\n0\r\n{}", "X: y\r\n".repeat(100_000)))),
        ("HTTP/0.9", "GET /livez\r\n\r\n".to_owned()),
        ("an HTTP version that does not exist", "GET /livez HTTP/1.2\r\nHost: localhost\r\n\r\n".to_owned()),
        ("a space within the target", "GET /livez /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
    ]
}
