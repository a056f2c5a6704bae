use std::cell::RefCell;

use model_registry_testkit::free_port;
use model_registry_testkit::golden::{self, Call, Response, Scenario};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn scenario(steps: &str) -> Scenario {
    Scenario::parse("sample", &format!(r#"{{"title": "A sample", "steps": {steps}}}"#)).unwrap()
}

fn response(status: u16, body: &str) -> Response {
    let content_type = Some("application/json".to_owned());
    Response { status, content_type, body: body.as_bytes().to_vec(), ..Response::default() }
}

/// Replays against the given responses and returns the differences and the calls.
async fn replay(scenario: &Scenario, responses: Vec<Result<Response, &'static str>>) -> (Vec<String>, Vec<Call>) {
    let (responses, calls) = (RefCell::new(responses.into_iter()), RefCell::new(Vec::new()));
    let differences = golden::replay(scenario, async |call| {
        calls.borrow_mut().push(call);
        responses.borrow_mut().next().unwrap()
    });
    let differences = differences.await.iter().map(ToString::to_string).collect();
    (differences, calls.into_inner())
}

#[tokio::test]
async fn values_are_bound_sent_and_compared() {
    let scenario = scenario(
        r#"[
        {"do": "POST /models", "send": {"name": "m"}, "bind": {"id": "/id", "item": "/items/0/n"},
         "expect": {"status": 201, "body": {"id": "${id}", "items": [{"n": 5.0}], "at": "$ms"}}},
        {"do": "GET /models/${id}?filterQuery=name = 'm'&n=${item}", "headers": {"If-Match": "${id}"},
         "expect": {"status": [200, 304], "body": "plain"}},
        {"do": "PATCH /models/${id}", "send": null, "headers": {"content-type": "text/x"}, "expect": {"status": 204}},
        {"do": "PUT /models", "sendText": "{${id}", "expect": {"status": 400, "body": null}}]"#,
    );
    let created = response(201, r#"{"items": [{"n": 5}], "id": "a/b", "at": "1735689600000"}"#);
    let responses = vec![Ok(created), Ok(response(304, "plain")), Ok(response(204, "")), Ok(response(400, ""))];
    let (differences, calls) = replay(&scenario, responses).await;

    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let json = ("Content-Type".to_owned(), "application/json".to_owned());
    assert_eq!(calls[0].body, br#"{"name":"m"}"#);
    assert_eq!(calls[0].headers, std::slice::from_ref(&json));
    assert_eq!(calls[1].target, "/models/a%2Fb?filterQuery=name%20=%20'm'&n=5");
    assert_eq!(calls[1].headers, [("If-Match".to_owned(), "a/b".to_owned())]);
    assert_eq!(calls[2].body, b"null");
    assert_eq!(calls[2].headers, [("content-type".to_owned(), "text/x".to_owned())]);
    assert_eq!((calls[3].body.as_slice(), &calls[3].headers), (b"{a/b".as_slice(), &vec![json]));
}

#[tokio::test]
async fn named_headers_are_compared_and_others_are_not() {
    let scenario = scenario(
        r#"[{"do": "GET /a", "expect": {"status": 200, "headers":
            {"ETag": "x", "Vary": {"$contains": ["Origin"]}, "Link": null, "Sunset": {"$match": "GMT$"}}}}]"#,
    );
    let of = |headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        vec![Ok(Response { headers, ..response(200, "") })]
    };
    let good = of(&[("etag", "x"), ("vary", "Accept, Origin"), ("sunset", "0 GMT"), ("date", "now")]);
    assert_eq!(replay(&scenario, good).await.0, [""; 0]);
    let (differences, _) = replay(&scenario, of(&[("vary", "Accept"), ("link", "<>"), ("sunset", "never")])).await;
    for expected in
        ["header ETag: want \"x\", got None", "header Vary: no element", "header Link: want null", "header Sunset: "]
    {
        assert!(differences[0].contains(expected), "{}", differences[0]);
    }
}

#[tokio::test]
async fn each_step_that_differs_is_shown_with_its_reason() {
    let scenario = scenario(
        r#"[
        {"do": "GET /a", "why": "ours is right", "expect": {"status": [200, 204], "body": {"a": 1}}},
        {"do": "GET /b", "expect": {"status": 200}},
        {"do": "GET /${unbound}", "expect": {"status": 200}},
        {"do": "GET /c", "expect": {"status": 0, "body": null}}]"#,
    );
    let responses = vec![Ok(response(500, r#"{"b":1}"#)), Err("connection reset"), Err("connection reset")];
    let (differences, _) = replay(&scenario, responses).await;
    assert_eq!(
        differences,
        [
            "sample step 1: GET /a  (ours is right)\n    status: want [200,204], got 500\n    body.a: missing\n    \
             body.b: not expected (1)\n    got: 500 application/json {\"b\":1}",
            "sample step 2: GET /b\n    status: want 200, got 0\n    got: no response: connection reset",
            "sample step 3: GET /${unbound}\n    `unbound` is not bound\n    got: nothing was sent",
        ]
    );
}

#[tokio::test]
async fn steps_that_depend_on_a_missing_value_are_skipped() {
    let scenario = scenario(
        r#"[
        {"do": "POST /a", "bind": {"id": "/id"}, "expect": {"status": 201}},
        {"do": "GET /a/${id}", "expect": {"status": 200}},
        {"do": "GET /b", "expect": {"status": 200}}]"#,
    );
    let (differences, calls) = replay(&scenario, vec![Ok(response(400, "{}"))]).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(differences.len(), 1);
    assert!(differences[0].contains("the rest of the scenario depends on it: 2 steps skipped"), "{}", differences[0]);
    assert!(differences[0].contains("no value at \"/id\" to bind `id`"), "{}", differences[0]);
}

#[test]
fn a_mistake_in_a_scenario_is_reported() {
    for (text, reason) in [
        ("{}", "no `steps`"),
        (r#"{"steps": [{}]}"#, "step 1 has no `do`"),
        (r#"{"steps": [{"do": "GET"}]}"#, "step 1: `do` is not a method and a path"),
        (r#"{"steps": [{"do": "GET /"}]}"#, "step 1 has no `expect.status`"),
    ] {
        assert_eq!(Scenario::parse("x", text).unwrap_err(), reason);
    }
}

#[tokio::test]
async fn calls_are_sent_over_http() {
    let port = free_port().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        let response = "HTTP/1.1 418 I'm a teapot\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK";
        stream.write_all(response.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let scenario = scenario(r#"[{"do": "GET /a?q=\"x\" y", "expect": {"status": 418, "body": "OK"}}]"#);
    let caller = golden::http_caller(&format!("http://127.0.0.1:{port}/"));
    let differences = golden::replay(&scenario, caller).await;
    assert!(differences.is_empty(), "{}", golden::readable(&differences));
    assert!(serving.await.unwrap().starts_with("GET /a?q=%22x%22%20y HTTP/1.1\r\n"));
}
