//! Previews read what the client sends and nothing else.

use axum::body::Body;
use http::Request;
use model_registry_catalog::Settings;
use model_registry_testkit::Backend;

use crate::support::{Answer, Api};

async fn preview(api: &Api, query: &str, parts: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, text) in parts {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
        body.extend([head.as_str(), text, "\r\n"]);
    }
    body.push_str("--b--\r\n");
    let request = Request::post(format!("/api/model_catalog/v1alpha1/sources/preview{query}"))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    api.send(request).await
}

// The reference opens any file that the process can read, and sends any environment variable to the hub.
#[tokio::test]
async fn files_of_the_server_are_never_read() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "models: [{name: secret}]").unwrap();
    let config = format!("type: yaml\nproperties: {{yamlCatalogPath: '{}'}}\n", secret.path().display());
    let answer = preview(&api, "", &[("config", &config)]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.message().contains("files of the server are not read"), "{}", answer.message());
    let config = "type: yaml\nproperties: {yamlCatalogPath: 'built-in:/models.yaml'}\n";
    assert_eq!(preview(&api, "", &[("config", config)]).await.status, 422);
}

#[tokio::test]
async fn names_that_repeat_can_be_paged_through() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("catalogData", "models: [{name: a}, {name: a}, {name: a}]")];
    let mut token = String::new();
    for rest in (0..3).rev() {
        let json = preview(&api, &format!("?pageSize=1&nextPageToken={token}"), &parts).await.json();
        assert_eq!(json["summary"]["totalModels"], 3);
        json["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        assert_eq!(token.is_empty(), rest == 0);
    }
}

#[tokio::test]
async fn mistakes_say_where_they_are() {
    let api = Api::on(Backend::Sqlite, Settings::default()).await;
    let parts = [("config", "type: yaml"), ("catalogData", "models:\n- name: a\n  wingspan: 3\n")];
    let answer = preview(&api, "", &parts).await;
    assert_eq!(answer.status, 422);
    assert!(answer.message().contains("catalogData:3:3: unknown field `wingspan`"), "{}", answer.message());
}
