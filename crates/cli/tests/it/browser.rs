//! Requests that a web page in a browser can send: DNS rebinding, and writes from another origin.

use http::{Method, Request, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use model_registry_testkit::{Executable, Ready};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, PROGRAM, TIME_LIMIT, role_on};

const LIST: &str = "/api/model_registry/v1alpha3/registered_models";

/// Sends a request by HTTP/1.1 and returns the status and the whole response.
async fn http1(server: &Executable, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut connection = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let body = if method == "GET" { "" } else { r#"{"name": "planted", "uri": "s3://evil"}"# };
    let headers = headers.iter().fold(String::new(), |all, (name, value)| all + name + ": " + value + "\r\n");
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    tokio::time::timeout(TIME_LIMIT, connection.read_to_string(&mut response)).await.unwrap().unwrap();
    (response.split(' ').nth(1).unwrap().parse().unwrap(), response)
}

/// Sends a request by HTTP/2, whose host is the pseudo-header `:authority`.
async fn http2(server: &Executable, method: Method, authority: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let connection = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(connection));
    let (mut sender, driver) = handshake.await.unwrap();
    let driver = tokio::spawn(driver);
    let uri: Uri = format!("http://{authority}{LIST}").parse().unwrap();
    let mut request = Request::builder().method(method).uri(uri).version(Version::HTTP_2);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(bytes::Bytes::from_static(br#"{"name": "planted2"}"#));
    let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    driver.abort();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_a_loopback_address_with_http1_and_http2() {
    for role in ["server", "up", "proxy"] {
        let server = role_on(role, "sqlite:x.db").start().await.unwrap();
        let own = format!("127.0.0.1:{}", server.port());
        for host in ["evil.example", &format!("evil.example:{}", server.port()), "model.evil.example", "10.0.0.1"] {
            for method in ["GET", "POST", "PATCH", "OPTIONS"] {
                let (status, response) = http1(&server, method, LIST, &[("Host", host)]).await;
                assert_eq!(status, 403, "{role} {method} {host}: {response}");
                assert!(response.contains("--allowed-hosts (MR_ALLOWED_HOSTS)"), "{response}");
            }
            let (status, response) = http2(&server, Method::GET, host, &[]).await;
            assert_eq!(status, 403, "{role} {host}: {response}");
        }
        let forwarded = [("Host", "evil.example"), ("X-Forwarded-Host", own.as_str()), ("Forwarded", "host=localhost")];
        assert_eq!(http1(&server, "GET", LIST, &forwarded).await.0, 403);
        assert_eq!(http1(&server, "GET", &format!("http://evil.example{LIST}"), &[("Host", &own)]).await.0, 403);
        assert_eq!(http2(&server, Method::GET, &own, &[("host", "evil.example")]).await.0, 403);
        for host in [own.as_str(), "localhost", "LOCALHOST:80", "localhost.", "[::1]:8080"] {
            assert_eq!(http1(&server, "GET", LIST, &[("Host", host)]).await.0, 200, "{role} {host}");
        }
        assert_eq!(http2(&server, Method::GET, &own, &[]).await.0, 200);
        // Probes by the address of a pod, or through a mesh.
        for path in ["/livez", "/readyz", "/readyz/health"] {
            assert_eq!(http1(&server, "GET", path, &[("Host", "10.1.2.3:8080")]).await.0, 200, "{path}");
        }
        assert!(Client::of(&server).list_all("registered_models").await.is_empty(), "{role}");
    }
}

#[tokio::test]
async fn without_authentication_names_are_refused_on_every_address_unless_allowed() {
    let everywhere = ["--hostname", "0.0.0.0", "--port", "{port}", "--database", "sqlite:x.db"];
    let start = async |arguments: &[&str]| {
        let launch = Executable::launch(PROGRAM).arguments(arguments.iter().copied()).arguments(everywhere);
        launch.start().await.unwrap()
    };
    for arguments in [&["server", "--allow-anonymous"][..], &["proxy"]] {
        let server = start(arguments).await;
        for (host, expected) in [
            ("registry.example.org", 403),
            ("10.1.2.3:8080", 200),
            // The names of Kubernetes Services are allowed by default.
            ("model-registry-service.kubeflow.svc.cluster.local:8080", 200),
            ("model-registry-service.kubeflow.svc", 200),
            ("svc.cluster.local.evil.example", 403),
        ] {
            assert_eq!(http1(&server, "GET", LIST, &[("Host", host)]).await.0, expected, "{arguments:?} {host}");
        }
    }
    for (allowed, host, expected) in [
        ("registry.example.org,*.lan", "registry.example.org", 200),
        ("registry.example.org,*.lan", "a.lan:8080", 200),
        ("registry.example.org,*.lan", "a.kubeflow.svc", 403),
        ("*", "evil.example", 200),
    ] {
        let server = start(&["proxy", "--allowed-hosts", allowed]).await;
        assert_eq!(http1(&server, "GET", LIST, &[("Host", host)]).await.0, expected, "{allowed} {host}");
    }
    let catalog = ["catalog", "--listen", "127.0.0.1:{port}", "--database", "sqlite:x.db"];
    let catalog = Executable::launch(PROGRAM).arguments(catalog).ready(Ready::Listening).start().await.unwrap();
    let models = "/api/model_catalog/v1alpha1/models";
    assert_eq!(http1(&catalog, "GET", models, &[("Host", "evil.example")]).await.0, 403);
}

#[tokio::test]
async fn a_write_from_a_page_of_another_origin_is_refused_and_changes_nothing() {
    let server = role_on("up", "sqlite:x.db").start().await.unwrap();
    let own = format!("127.0.0.1:{}", server.port());
    let client = Client::of(&server);
    let id = client.create("registered_models", &json!({"name": "kept"})).await;
    let own_origin = format!("http://{own}");
    let page = |more: &[(&'static str, &'static str)]| -> Vec<(&'static str, String)> {
        let host = ("Host", own.clone());
        std::iter::once(host).chain(more.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
    };
    let send = async |method: &str, path: &str, headers: &[(&str, String)]| {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        http1(&server, method, path, &headers).await
    };
    let foreign: [&[(&str, &str)]; 6] = [
        &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Content-Type", "text/plain")],
        &[("Sec-Fetch-Site", "cross-site"), ("Content-Type", "application/x-www-form-urlencoded")],
        &[("Origin", "https://evil.example"), ("Content-Type", "text/plain;charset=UTF-8")],
        &[("Origin", "null"), ("Content-Type", "multipart/form-data; boundary=x")],
        &[("Origin", "http://localhost:3000"), ("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://evil.example"), ("Content-Type", "application/json")],
    ];
    for headers in foreign {
        for (method, path) in [("POST", LIST.to_owned()), ("PATCH", format!("{LIST}/{id}"))] {
            let (status, response) = send(method, &path, &page(headers)).await;
            assert_eq!(status, 403, "{method} {headers:?}: {response}");
            assert!(response.contains("--cors-allowed-origins (MR_CORS_ALLOWED_ORIGINS)"), "{response}");
        }
    }
    let (status, _) = http2(&server, Method::POST, &own, &[("origin", "https://evil.example")]).await;
    assert_eq!(status, 403);
    assert_eq!(client.list_all("registered_models").await.len(), 1);
    // Scripts, and the pages of the server itself.
    for (number, headers) in [
        vec![("Host", own.clone()), ("Content-Type", "text/plain".to_owned())],
        vec![("Host", own.clone()), ("Origin", own_origin.clone()), ("Sec-Fetch-Site", "same-origin".to_owned())],
        vec![("Host", own.clone()), ("Origin", own_origin)],
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("{LIST}/{id}");
        // The body has a field that models do not have: the request reaches its handler.
        let (status, response) = send("PATCH", &path, &headers).await;
        assert_eq!(status, 400, "{number}: {response}");
        assert!(response.contains("unknown field"), "{number}: {response}");
    }
}

#[tokio::test]
async fn an_origin_that_cors_allows_may_write() {
    let server = role_on("server", "sqlite:x.db").arguments(["--cors-allowed-origins", "https://hub.example"]);
    let server = server.start().await.unwrap();
    let own = format!("127.0.0.1:{}", server.port());
    let send = async |origin: &str| {
        http2(&server, Method::POST, &own, &[("origin", origin), ("sec-fetch-site", "cross-site")]).await.0
    };
    assert_eq!(send("https://evil.example").await, 403);
    assert_eq!(send("https://hub.example").await, 201);
}
