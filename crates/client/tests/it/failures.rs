//! What the client makes of servers that say no, fall silent or hang up.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use model_registry_client::{
    Client, Creations, Error, FindBy, ListOptions, RegisteredModelCreate, RegisteredModelUpdate, Retries,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{StandIn, answer, listen, quick, registry, registry_with_tls};

const MODEL: &str = r#"{"id":"1","name":"m","customProperties":{}}"#;

#[tokio::test]
async fn an_error_tells_status_code_message_and_request_id() {
    let server = registry().await;
    let error = server.client().registered_models().get("999").await.unwrap_err();
    assert!(error.is_not_found());
    let answer = error.answer().unwrap();
    assert_eq!((answer.status, answer.code.as_str()), (404, "Not Found"));
    assert_eq!(answer.message, "no registered model found for id 999");
    assert_eq!(error.request_id().unwrap().len(), 36);
    let error = server.client().registered_models().get("abc").await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    let stand_in = StandIn::start(|number| {
        let status = [400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 501, 502, 503, 504][number];
        answer(status, &[("x-request-id", "r-1")], r#"{"code":"c","message":"m"}"#)
    })
    .await;
    let client = Client::builder(&stand_in.server.url).retries(Retries::none()).build().unwrap();
    let mut meanings = Vec::new();
    for _ in 0..15 {
        let error = client.registered_models().get("1").await.unwrap_err();
        assert_eq!(error.request_id(), Some("r-1"));
        meanings.push(format!("{error:?}").split('(').next().unwrap_or_default().to_owned());
    }
    assert_eq!(
        meanings.join(" "),
        "Invalid Unauthorized Forbidden NotFound Conflict Gone Changed Invalid Invalid Unavailable Failed \
         Failed Unavailable Unavailable Unavailable"
    );
}

#[tokio::test]
async fn a_read_is_repeated_when_the_server_says_so() {
    let stand_in = StandIn::start(|number| match number {
        0 => answer(503, &[("retry-after", "1")], r#"{"code":"Service Unavailable","message":"starting"}"#),
        1 => answer(502, &[], "<html>bad gateway</html>"),
        _ => answer(200, &[], MODEL),
    })
    .await;
    let started = Instant::now();
    let model = stand_in.server.quick_client(3).registered_models().get("1").await.unwrap();
    assert_eq!(model.name, "m");
    assert!(started.elapsed() >= Duration::from_secs(1), "Retry-After was not respected");
    let ids: HashSet<String> = stand_in.asked().iter().map(|asked| asked.header("x-request-id").to_owned()).collect();
    assert_eq!((stand_in.asked().len(), ids.len()), (3, 1));
}

#[tokio::test]
async fn attempts_end() {
    let stand_in = StandIn::start(|_| answer(503, &[], r#"{"code":"c","message":"still starting"}"#)).await;
    let error = stand_in.server.quick_client(2).registered_models().get("1").await.unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().starts_with("the server is not available: still starting (request id "), "{error}");
    assert_eq!(stand_in.asked().len(), 3);
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_for_long_is() {
    let stand_in = StandIn::start(|_| answer(503, &[("retry-after", "3600")], "")).await;
    assert!(stand_in.server.quick_client(5).registered_models().get("1").await.is_err());
    assert_eq!(stand_in.asked().len(), 1);
}

/// Creates a model at a stand-in that fails the first creation; gives what was asked for, and whether it worked.
async fn create_twice(openapi: (u16, &'static str), creations: Creations) -> (Vec<String>, Vec<String>, bool) {
    let stand_in = StandIn::start(move |number| match (number, creations) {
        (0, _) => answer(503, &[], ""),
        (1, Creations::WhereSafe) => answer(openapi.0, &[], openapi.1),
        _ => answer(201, &[], MODEL),
    })
    .await;
    let client = Client::builder(&stand_in.server.url).retries(Retries { creations, ..quick(3) }).build().unwrap();
    let worked = client.registered_models().create(&RegisteredModelCreate::default()).await.is_ok();
    // What was learnt is remembered.
    let _ = client.registered_models().create(&RegisteredModelCreate::default()).await;
    let asked = stand_in.asked();
    let paths = asked.iter().map(|asked| format!("{} {}", asked.method, asked.path.rsplit('/').next().unwrap()));
    let keys = asked.iter().map(|asked| asked.header("idempotency-key").to_owned()).filter(|key| !key.is_empty());
    (paths.collect(), keys.collect(), worked)
}

#[tokio::test]
async fn a_creation_is_repeated_under_one_key_where_the_server_knows_keys() {
    let (post, document) = ("POST registered_models", "GET openapi.json");
    let knows = r#"{"parameters":{"Key":{"in":"header","name":"Idempotency-Key"}}}"#;
    let (paths, keys, worked) = create_twice((200, knows), Creations::WhereSafe).await;
    assert!(worked);
    assert_eq!(paths, [post, document, post, post]);
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
    assert_eq!(keys[0].len(), 36);

    for openapi in [(404, ""), (401, ""), (200, r#"{"parameters":{}}"#)] {
        let (paths, _, worked) = create_twice(openapi, Creations::WhereSafe).await;
        assert!(!worked, "{openapi:?}");
        assert_eq!(paths, [post, document, post], "{openapi:?}");
    }
    let (paths, keys, worked) = create_twice((404, ""), Creations::Always).await;
    assert!(worked && keys[0] == keys[1]);
    assert_eq!(paths, [post, post, post]);
    let (paths, _, worked) = create_twice((200, knows), Creations::Once).await;
    assert!(!worked);
    assert_eq!(paths, [post, post]);
}

#[tokio::test]
async fn a_creation_that_arrived_nowhere_is_repeated_without_a_question() {
    let (listener, url) = listen().await;
    drop(listener);
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let patient = Retries {
        attempts: 1_000,
        first_wait: Duration::from_millis(10),
        longest_wait: Duration::from_millis(50),
        ..Retries::default()
    };
    let client = Client::builder(&url).retries(patient).build().unwrap();
    let creation =
        tokio::spawn(async move { client.registered_models().create(&RegisteredModelCreate::default()).await });
    // Whoever listens now knows nothing of keys.
    let listener = std::net::TcpListener::bind(&address).unwrap();
    let (mut stream, _) = tokio::task::spawn_blocking(move || listener.accept().unwrap()).await.unwrap();
    let answered = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut head = [0; 4096];
        let length = stream.read(&mut head).unwrap();
        write!(stream, "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{MODEL}", MODEL.len()).unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    assert!(answered.await.unwrap().starts_with("POST "));
    assert_eq!(creation.await.unwrap().unwrap().name, "m");
}

#[tokio::test]
async fn a_change_is_never_repeated() {
    let stand_in = StandIn::start(|_| answer(503, &[], "")).await;
    let models = stand_in.server.quick_client(3).registered_models();
    assert!(models.update("1", &RegisteredModelUpdate::default()).await.is_err());
    assert_eq!(stand_in.asked().len(), 1);
    assert_eq!(stand_in.asked()[0].header("idempotency-key"), "");
}

#[tokio::test]
async fn a_creation_whose_answer_got_lost_happens_once() {
    // A proxy that passes every request on, and hangs up on the first instead of answering.
    let server = registry().await;
    let target = server.url.strip_prefix("http://").unwrap().to_owned();
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        let mut is_first = true;
        while let Ok((mut client, _)) = listener.accept().await {
            let mut upstream = tokio::net::TcpStream::connect(&target).await.unwrap();
            if std::mem::take(&mut is_first) {
                let mut buffer = vec![0; 64 * 1024];
                let length = client.read(&mut buffer).await.unwrap();
                upstream.write_all(&buffer[..length]).await.unwrap();
                let _ = upstream.read(&mut buffer).await;
                drop(client);
            } else {
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut upstream).await });
            }
        }
    });
    let client = Client::builder(&url).retries(quick(3)).build().unwrap();
    let create = RegisteredModelCreate { name: "once".to_owned(), ..Default::default() };
    let model = client.registered_models().create(&create).await.unwrap();
    assert_eq!(model.name, "once");
    assert_eq!(server.client().registered_models().page(&ListOptions::default(), "").await.unwrap().size, 1);
}

#[tokio::test]
async fn dropped_connections_are_tried_again_and_then_told() {
    let (listener, url) = listen().await;
    let accepted = tokio::spawn(async move {
        for _ in 0..3 {
            drop(listener.accept().await.unwrap());
        }
    });
    let client = Client::builder(&url).retries(quick(2)).build().unwrap();
    let error = client.registered_models().get("1").await.unwrap_err();
    accepted.await.unwrap();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.request_id().is_some());
    // Nobody listens any more.
    let error = client.registered_models().get("1").await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        for number in 0..2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 64 * 1024];
            let _ = stream.read(&mut buffer).await;
            let length = MODEL.len();
            let body = if number == 0 { &MODEL[..10] } else { MODEL };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    let client = Client::builder(&url).retries(quick(1)).build().unwrap();
    assert_eq!(client.registered_models().get("1").await.unwrap().name, "m");
}

#[tokio::test]
async fn a_slow_answer_is_given_up_once() {
    let (listener, url) = listen().await;
    let accepted = tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            streams.push(stream);
        }
    });
    let client = Client::builder(&url).timeout(Duration::from_millis(100)).build().unwrap();
    let started = Instant::now();
    let error = client.registered_models().get("1").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    accepted.abort();
}

#[tokio::test]
async fn something_that_is_no_registry_is_recognized() {
    let stand_in = StandIn::start(|number| match number {
        0 => answer(200, &[("content-type", "text/html")], "<html>log in</html>"),
        1 => answer(302, &[("location", "https://login.example.com/")], ""),
        2 => answer(404, &[], "404 page not found\n"),
        _ => answer(500, &[], "<html>oops</html>"),
    })
    .await;
    let models = stand_in.server.quick_client(0).registered_models();
    let mut messages = Vec::new();
    for _ in 0..4 {
        let text = models.get("1").await.unwrap_err().to_string();
        messages.push(text.replace(&stand_in.server.url, "SERVER"));
    }
    assert_eq!(messages[0], "SERVER did not answer like a model registry: expected value at line 1 column 1");
    assert_eq!(
        messages[1],
        "SERVER did not answer like a model registry: it redirects to https://login.example.com/; is this the address \
         of the registry?"
    );
    assert_eq!(messages[2], "404 page not found");
    let failed = "the server failed with status 500: no message (request id ";
    assert!(messages[3].starts_with(failed), "{}", messages[3]);
}

#[tokio::test]
async fn a_request_says_who_sends_it_and_what_is_behind_the_token() {
    let stand_in = StandIn::start(|_| answer(200, &[], MODEL)).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let client = Client::builder(&format!("{}/prefix/", stand_in.server.url)).token_file(&file).build().unwrap();
    client.registered_models().get("1").await.unwrap();
    std::fs::write(&file, "second").unwrap();
    client.registered_models().get("1").await.unwrap();
    let asked = stand_in.asked();
    assert_eq!(asked[0].path, "/prefix/api/model_registry/v1alpha3/registered_models/1");
    assert_eq!(asked[0].header("user-agent"), concat!("model-registry/", env!("CARGO_PKG_VERSION")));
    assert_eq!(asked[0].header("authorization"), "Bearer first");
    assert_eq!(asked[1].header("authorization"), "Bearer second");
    std::fs::remove_file(&file).unwrap();
    let error = client.registered_models().get("1").await.unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
}

#[tokio::test]
async fn only_a_404_about_the_entity_means_that_there_is_none() {
    let stand_in = StandIn::start(|number| {
        let message = [
            "no registered models found for name=m, externalId=",
            "multiple registered models found for name=m, externalId=",
            "no such path: /api",
        ][number];
        answer(404, &[], &format!(r#"{{"code":"Not Found","message":"{message}"}}"#))
    })
    .await;
    let models = stand_in.server.client().registered_models();
    assert_eq!(models.find(FindBy::Name("m")).await.unwrap(), None);
    assert!(models.find(FindBy::Name("m")).await.is_err());
    assert!(models.find(FindBy::Name("m")).await.is_err());
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("certificate.pem"), directory.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = registry_with_tls(&certificate, &key).await;

    let models = Client::builder(&server.url).retries(quick(0)).build().unwrap().registered_models();
    let error = models.get("1").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");

    let trusting = Client::builder(&server.url).root_certificates(made.cert.pem()).build().unwrap();
    assert!(trusting.registered_models().get("1").await.unwrap_err().is_not_found());
    let error = Client::builder(&server.url).root_certificates("nonsense").build().unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
}
