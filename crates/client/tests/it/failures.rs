//! Error responses, time limits, lost connections and retries.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model_registry_client::{
    Client, ClientBuilder, ConnectionProblem, Creations, Error, FindBy, ListOptions, RegisteredModelCreate,
    RegisteredModelUpdate, Retries,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{FakeServer, listen, quick_retries, registry, registry_with_tls, response};

const MODEL: &str = r#"{"id":"1","name":"m","customProperties":{}}"#;

#[tokio::test]
async fn an_error_has_status_code_message_and_request_id() {
    let server = registry().await;
    let error = server.client().registered_models().get("999").await.unwrap_err();
    assert!(error.is_not_found());
    let response = error.response().unwrap();
    assert_eq!((response.status, response.code.as_str()), (404, "Not Found"));
    assert_eq!(response.message, "no registered model found for id 999");
    assert_eq!(error.request_id().unwrap().len(), 36);
    let error = server.client().registered_models().get("abc").await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn each_status_maps_to_its_error() {
    let fake = FakeServer::start(|number| {
        let status = [400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 501, 502, 503, 504][number];
        response(status, &[("x-request-id", "r-1")], r#"{"code":"c","message":"m"}"#)
    })
    .await;
    let client = Client::builder(&fake.server.url).retries(Retries::none()).build().unwrap();
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
async fn a_read_is_retried_after_the_time_of_the_server() {
    let fake = FakeServer::start(|number| match number {
        0 => response(503, &[("retry-after", "1")], r#"{"code":"Service Unavailable","message":"starting"}"#),
        1 => response(502, &[], "<html>bad gateway</html>"),
        _ => response(200, &[], MODEL),
    })
    .await;
    let started = Instant::now();
    let model = fake.server.quick_client(3).registered_models().get("1").await.unwrap();
    assert_eq!(model.name, "m");
    assert!(started.elapsed() >= Duration::from_secs(1), "Retry-After was not respected");
    let ids: HashSet<String> =
        fake.requests().iter().map(|request| request.header("x-request-id").to_owned()).collect();
    assert_eq!((fake.requests().len(), ids.len()), (3, 1));
}

#[tokio::test]
async fn retries_are_limited() {
    let fake = FakeServer::start(|_| response(503, &[], r#"{"code":"c","message":"still starting"}"#)).await;
    let error = fake.server.quick_client(2).registered_models().get("1").await.unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().starts_with("the server is not available: still starting (request id "), "{error}");
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_request_is_not_retried_after_a_long_retry_after() {
    let fake = FakeServer::start(|_| response(503, &[("retry-after", "3600")], "")).await;
    assert!(fake.server.quick_client(5).registered_models().get("1").await.is_err());
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_not_a_missing_token() {
    let fake = FakeServer::start(|_| response(401, &[], r#"{"code":"Unauthorized","message":"m"}"#)).await;
    let error = async |builder: ClientBuilder| builder.build().unwrap().registered_models().get("1").await.unwrap_err();
    let without = error(Client::builder(&fake.server.url)).await;
    assert!(matches!(without, Error::Unauthorized(_)), "{without:?}");
    let refused = error(Client::builder(&fake.server.url).token("old")).await;
    assert!(matches!(refused, Error::TokenRefused(_)), "{refused:?}");
    assert_eq!(refused.response().unwrap().status, 401);
}

#[tokio::test]
async fn retries_are_reported_and_end_with_the_total_time() {
    let fake =
        FakeServer::start(|_| response(503, &[("retry-after", "1")], r#"{"code":"c","message":"starting"}"#)).await;
    let notices = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&notices);
    let retries = Retries { attempts: 100, total_time: Duration::from_millis(1_500), ..Retries::default() };
    let client = Client::builder(&fake.server.url)
        .retries(retries)
        .on_notice(move |notice| seen.lock().unwrap().push(notice.to_string()))
        .build()
        .unwrap();
    assert!(client.registered_models().get("1").await.unwrap_err().is_temporary());
    assert_eq!(fake.requests().len(), 2);
    let notices = notices.lock().unwrap();
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains("starting") && notices[0].ends_with("; trying again in 1.0 s"), "{notices:?}");
}

#[tokio::test]
async fn a_request_without_a_response_is_reported() {
    let (listener, url) = listen().await;
    let silent = tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            streams.push(stream);
        }
    });
    let notices = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&notices);
    let client = Client::builder(&url)
        .timeout(Duration::from_secs(7))
        .on_notice(move |notice| seen.lock().unwrap().push(notice.to_string()))
        .build()
        .unwrap();
    assert!(client.registered_models().get("1").await.is_err());
    assert_eq!(*notices.lock().unwrap(), [format!("no response from {url} for 5 s; still waiting")]);
    silent.abort();
}

/// Creates two models with a fake server that fails the first attempt. Returns the requests, their idempotency keys, and
/// whether the first creation succeeded.
async fn create_twice(openapi: (u16, &'static str), creations: Creations) -> (Vec<String>, Vec<String>, bool) {
    let fake = FakeServer::start(move |number| match (number, creations) {
        (0, _) => response(503, &[], ""),
        (1, Creations::WhereSafe) => response(openapi.0, &[], openapi.1),
        _ => response(201, &[], MODEL),
    })
    .await;
    let client = Client::builder(&fake.server.url).retries(Retries { creations, ..quick_retries(3) }).build().unwrap();
    let worked = client.registered_models().create(&RegisteredModelCreate::default()).await.is_ok();
    // The support of keys is remembered.
    let _ = client.registered_models().create(&RegisteredModelCreate::default()).await;
    let requests = fake.requests();
    let paths =
        requests.iter().map(|request| format!("{} {}", request.method, request.path.rsplit('/').next().unwrap()));
    let keys =
        requests.iter().map(|request| request.header("idempotency-key").to_owned()).filter(|key| !key.is_empty());
    (paths.collect(), keys.collect(), worked)
}

#[tokio::test]
async fn a_creation_is_retried_with_one_key_if_the_server_supports_keys() {
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
async fn a_creation_without_a_connection_is_retried_without_reading_the_openapi_document() {
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
    // This server does not support keys.
    let listener = std::net::TcpListener::bind(&address).unwrap();
    let (mut stream, _) = tokio::task::spawn_blocking(move || listener.accept().unwrap()).await.unwrap();
    let request = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut head = [0; 4096];
        let length = stream.read(&mut head).unwrap();
        write!(stream, "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{MODEL}", MODEL.len()).unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    assert!(request.await.unwrap().starts_with("POST "));
    assert_eq!(creation.await.unwrap().unwrap().name, "m");
}

#[tokio::test]
async fn an_update_is_never_retried() {
    let fake = FakeServer::start(|_| response(503, &[], "")).await;
    let models = fake.server.quick_client(3).registered_models();
    assert!(models.update("1", &RegisteredModelUpdate::default()).await.is_err());
    assert_eq!(fake.requests().len(), 1);
    assert_eq!(fake.requests()[0].header("idempotency-key"), "");
}

#[tokio::test]
async fn a_creation_whose_response_was_lost_happens_once() {
    // A proxy that drops the connection after the first request instead of returning the response.
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
    let client = Client::builder(&url).retries(quick_retries(3)).build().unwrap();
    let create = RegisteredModelCreate { name: "once".to_owned(), ..Default::default() };
    let model = client.registered_models().create(&create).await.unwrap();
    assert_eq!(model.name, "once");
    assert_eq!(server.client().registered_models().page(&ListOptions::default(), "").await.unwrap().size, 1);
}

#[tokio::test]
async fn dropped_connections_are_retried_and_then_reported() {
    let (listener, url) = listen().await;
    let accepted = tokio::spawn(async move {
        for _ in 0..3 {
            drop(listener.accept().await.unwrap());
        }
    });
    let client = Client::builder(&url).retries(quick_retries(2)).build().unwrap();
    let error = client.registered_models().get("1").await.unwrap_err();
    accepted.await.unwrap();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.request_id().is_some());
    // The server no longer listens.
    let error = client.registered_models().get("1").await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_truncated_response_is_retried() {
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
    let client = Client::builder(&url).retries(quick_retries(1)).build().unwrap();
    assert_eq!(client.registered_models().get("1").await.unwrap().name, "m");
}

#[tokio::test]
async fn a_slow_response_is_not_retried() {
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
async fn a_server_that_is_not_a_registry_is_recognized() {
    let fake = FakeServer::start(|number| match number {
        0 => response(200, &[("content-type", "text/html")], "<html>log in</html>"),
        1 => response(302, &[("location", "https://login.example.com/")], ""),
        2 => response(404, &[], "404 page not found\n"),
        _ => response(500, &[], "<html>oops</html>"),
    })
    .await;
    let models = fake.server.quick_client(0).registered_models();
    let mut messages = Vec::new();
    for _ in 0..4 {
        let text = models.get("1").await.unwrap_err().to_string();
        messages.push(text.replace(&fake.server.url, "SERVER"));
    }
    assert_eq!(messages[0], "SERVER does not respond like a model registry: expected value at line 1 column 1");
    assert_eq!(
        messages[1],
        "SERVER does not respond like a model registry: it redirects to https://login.example.com/; check the address \
         of the server"
    );
    assert_eq!(messages[2], "404 page not found");
    let failed = "the server failed with status 500: no message (request id ";
    assert!(messages[3].starts_with(failed), "{}", messages[3]);
}

#[tokio::test]
async fn a_request_has_a_user_agent_and_the_current_token_of_the_file() {
    let fake = FakeServer::start(|_| response(200, &[], MODEL)).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let client = Client::builder(&format!("{}/prefix/", fake.server.url)).token_file(&file).build().unwrap();
    client.registered_models().get("1").await.unwrap();
    std::fs::write(&file, "second").unwrap();
    client.registered_models().get("1").await.unwrap();
    let requests = fake.requests();
    assert_eq!(requests[0].path, "/prefix/api/model_registry/v1alpha3/registered_models/1");
    assert_eq!(requests[0].header("user-agent"), concat!("model-registry/", env!("CARGO_PKG_VERSION")));
    assert_eq!(requests[0].header("authorization"), "Bearer first");
    assert_eq!(requests[1].header("authorization"), "Bearer second");
    std::fs::remove_file(&file).unwrap();
    let error = client.registered_models().get("1").await.unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
}

#[tokio::test]
async fn only_a_404_about_the_entity_means_that_it_does_not_exist() {
    let fake = FakeServer::start(|number| {
        let message = [
            "no registered models found for name=m, externalId=",
            "multiple registered models found for name=m, externalId=",
            "no such path: /api",
        ][number];
        response(404, &[], &format!(r#"{{"code":"Not Found","message":"{message}"}}"#))
    })
    .await;
    let models = fake.server.client().registered_models();
    assert_eq!(models.find(FindBy::Name("m")).await.unwrap(), None);
    assert!(models.find(FindBy::Name("m")).await.is_err());
    assert!(models.find(FindBy::Name("m")).await.is_err());
}

#[tokio::test]
async fn an_untrusted_certificate_is_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("certificate.pem"), directory.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = registry_with_tls(&certificate, &key).await;

    let models = Client::builder(&server.url).retries(quick_retries(0)).build().unwrap().registered_models();
    let error = models.get("1").await.unwrap_err();
    let problem = |error: &Error| match error {
        Error::Unreachable { problem, .. } => Some(*problem),
        _ => None,
    };
    assert_eq!(problem(&error), Some(ConnectionProblem::UnknownAuthority), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
    // Not retried: a setting has to change.
    for (url, expected) in [
        (server.url.replace("https://", "http://"), ConnectionProblem::PortWithTls),
        (registry().await.url.replace("http://", "https://"), ConnectionProblem::PortWithoutTls),
        ("http://no-such-host.invalid".to_owned(), ConnectionProblem::UnknownHost),
        ("http://127.0.0.1:9".to_owned(), ConnectionProblem::Refused),
    ] {
        let client = Client::builder(&url).retries(Retries::none()).build().unwrap();
        let error = client.registered_models().get("1").await.unwrap_err();
        assert_eq!(problem(&error), Some(expected), "{url}: {error:?}");
    }

    let trusting = Client::builder(&server.url).root_certificates(made.cert.pem()).build().unwrap();
    assert!(trusting.registered_models().get("1").await.unwrap_err().is_not_found());
    let error = Client::builder(&server.url).root_certificates("nonsense").build().unwrap_err();
    assert!(matches!(error, Error::Usage(_)), "{error:?}");
}
