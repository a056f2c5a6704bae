//! Creates the data through the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::connection::{Call, Connection};

const CONNECTIONS: usize = 8;

/// The endpoint for registrations, which not every server of v1alpha3 has.
pub(crate) const REGISTRATIONS: &str = "registered_models:register";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) models: usize,
    pub(crate) versions_per_model: usize,
}

/// The ids and page tokens that scenarios use.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) size: Size,
    pub(crate) version_ids: Arc<Vec<i64>>,
    pub(crate) experiment_run_ids: Arc<Vec<i64>>,
    /// Tokens of all pages of 100 versions, in order.
    pub(crate) page_tokens: Arc<Vec<String>>,
    /// Whether the server registers a model, a version and its artifacts in one request.
    pub(crate) has_registration: bool,
}

pub(crate) async fn make(base_url: &str, size: Size) -> Result<Data> {
    let started = Instant::now();
    let has_registration = has_registration(&mut Connection::open(base_url).await?).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..CONNECTIONS {
        let (next, base_url) = (Arc::clone(&next), base_url.to_owned());
        workers.push(tokio::spawn(async move {
            let mut connection = Connection::open(&base_url).await?;
            let mut ids = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let (last, created) = if has_registration {
                    (size.models * size.versions_per_model, None)
                } else {
                    (size.models, Some(number))
                };
                if number >= last {
                    return Ok::<_, anyhow::Error>(ids);
                }
                match created {
                    Some(model) => ids.extend(create_model(&mut connection, model, size).await?),
                    None => ids.push(register(&mut connection, number, size).await?),
                }
            }
        }));
    }
    let mut version_ids = Vec::new();
    for worker in workers {
        version_ids.extend(worker.await??);
    }
    version_ids.sort_unstable();
    let mut connection = Connection::open(base_url).await?;
    let experiment = create(&mut connection, "experiments", &json!({"name": "bench"})).await?;
    let mut runs = Vec::new();
    for number in 0..64 {
        let body = json!({"name": format!("run-{number}"), "experimentId": experiment.to_string()});
        runs.push(create(&mut connection, "experiment_runs", &body).await?);
    }
    eprintln!("{} versions created in {:.1} s", version_ids.len(), started.elapsed().as_secs_f64());
    let page_tokens = Arc::new(read_all_pages(&mut connection).await?);
    Ok(Data {
        size,
        version_ids: Arc::new(version_ids),
        experiment_run_ids: Arc::new(runs),
        page_tokens,
        has_registration,
    })
}

/// Reads all pages and returns their tokens.
async fn read_all_pages(connection: &mut Connection) -> Result<Vec<String>> {
    let mut tokens = vec![String::new()];
    loop {
        let last = tokens.last().map_or("", String::as_str);
        let page: Value = serde_json::from_slice(connection.send(&page(last)).await?)?;
        match page["nextPageToken"].as_str().unwrap_or_default() {
            "" => return Ok(tokens),
            next => tokens.push(next.to_owned()),
        }
    }
}

/// The request for a page of 100 versions; the token of the first page is empty.
pub(crate) fn page(token: &str) -> Call {
    // Tokens of other servers may need encoding.
    let token: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    Call::get(format!("model_versions?pageSize=100&nextPageToken={token}"))
}

pub(crate) async fn create(connection: &mut Connection, path: &str, body: &Value) -> Result<i64> {
    let response = connection.send(&Call::post(path, body)).await?;
    id(&serde_json::from_slice(response)?)
}

fn id(entity: &Value) -> Result<i64> {
    entity["id"].as_str().and_then(|id| id.parse().ok()).context("the response has no id")
}

/// Registers a version with its artifacts, and its model if needed; returns the id of the version.
async fn register(connection: &mut Connection, number: usize, size: Size) -> Result<i64> {
    let body = registration(number % size.models, number / size.models);
    let response = connection.send(&Call::post(REGISTRATIONS, &body)).await?;
    id(&serde_json::from_slice::<Value>(response)?["modelVersion"])
}

/// Whether the server has the endpoint for registrations. Others respond with 404 or 405 even to an
/// empty registration.
async fn has_registration(connection: &mut Connection) -> Result<bool> {
    let status = connection.status(&Call::post(REGISTRATIONS, &json!({}))).await?;
    Ok(!matches!(status, 404 | 405))
}

/// Creates the model, version by version its children, with one request each; returns the ids of the versions.
async fn create_model(connection: &mut Connection, model: usize, size: Size) -> Result<Vec<i64>> {
    let first = registration(model, 0);
    let model_id = create(connection, "registered_models", &first["registeredModel"]).await?;
    let mut ids = Vec::new();
    for version in 0..size.versions_per_model {
        let body = registration(model, version);
        let mut model_version = body["modelVersion"].clone();
        model_version["registeredModelId"] = model_id.to_string().into();
        let id = create(connection, "model_versions", &model_version).await?;
        for artifact in body["artifacts"].as_array().into_iter().flatten() {
            create(connection, &format!("model_versions/{id}/artifacts"), artifact).await?;
        }
        ids.push(id);
    }
    Ok(ids)
}

pub(crate) const FRAMEWORKS: [&str; 4] = ["onnx", "torch", "tensorflow", "sklearn"];

/// The body of a registration: ten custom properties, distributed so that filters select known shares.
pub(crate) fn registration(model: usize, version: usize) -> Value {
    // An independent number for each property.
    let number = |property: u64| {
        let mut mixed = ((model as u64) << 24 | version as u64).wrapping_add(property << 56);
        for multiplier in [0xBF58_476D_1CE4_E5B9_u64, 0x94D0_49BB_1331_11EB] {
            mixed = (mixed ^ mixed >> 30).wrapping_mul(multiplier);
        }
        usize::try_from((mixed ^ mixed >> 31) >> 1).unwrap_or_default()
    };
    let mut properties = Map::new();
    properties.insert("stage".into(), string(["production", "staging", "development", "research"][number(1) % 4]));
    properties.insert("team".into(), string(&format!("team-{}", number(2) % 50)));
    properties.insert("framework".into(), string(FRAMEWORKS[number(3) % 4]));
    properties.insert("accuracy".into(), double(number(4) % 10_000, 10_000));
    properties.insert("loss".into(), double(number(5) % 997, 997));
    properties.insert("batch_size".into(), int(1 << (number(6) % 8)));
    properties.insert("epochs".into(), int(number(7) % 100));
    let validated = number(8).is_multiple_of(2);
    properties.insert("validated".into(), json!({"metadataType": "MetadataBoolValue", "bool_value": validated}));
    properties.insert("dataset".into(), string(&format!("dataset-{}", number(9) % 1_000)));
    properties.insert("commit".into(), string(&format!("{:016x}", number(10))));
    json!({
        "registeredModel": {"name": format!("model-{model}"), "owner": format!("owner-{}", model % 100)},
        "modelVersion": {"name": format!("v{version}"), "author": format!("author-{}", number(11) % 200),
                         "description": "created by the benchmark", "customProperties": properties},
        "artifacts": [
            {"artifactType": "model-artifact", "name": "weights", "uri": format!("s3://bench/{model}/{version}"),
             "modelFormatName": "onnx", "modelFormatVersion": "1"},
            {"artifactType": "doc-artifact", "name": "card", "uri": format!("https://bench/{model}/{version}")}
        ]
    })
}

fn string(value: &str) -> Value {
    json!({"metadataType": "MetadataStringValue", "string_value": value})
}

fn int(value: usize) -> Value {
    json!({"metadataType": "MetadataIntValue", "int_value": value.to_string()})
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn double(part: usize, whole: usize) -> Value {
    json!({"metadataType": "MetadataDoubleValue", "double_value": part as f64 / whole as f64})
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Responds to the requests of one connection as another server of v1alpha3 does: it creates entities, and has no
    /// registrations.
    async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
        let mut received = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&received).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                if stream.read_buf(&mut received).await? == 0 {
                    return Ok(());
                }
                continue;
            };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or_default();
            if body.len() < length {
                stream.read_buf(&mut received).await?;
                continue;
            }
            received.drain(..head.len() + 4 + length);
            let request = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
            let (status, body) = if request.ends_with(REGISTRATIONS) {
                ("404 Not Found", r#"{"code":"Not Found","message":"no such path"}"#.to_owned())
            } else if request.starts_with("POST") {
                let number = seen.lock().unwrap().len() + 1;
                ("201 Created", format!(r#"{{"id":"{number}"}}"#))
            } else {
                ("200 OK", r#"{"items":[],"nextPageToken":""}"#.to_owned())
            };
            seen.lock().unwrap().push(request);
            let response = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(response.as_bytes()).await?;
        }
    }

    #[tokio::test]
    async fn a_server_without_registrations_gets_its_data_by_single_creates() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&requests)));
            }
        });
        let data = make(&url, Size { models: 3, versions_per_model: 2 }).await.unwrap();
        assert!(!data.has_registration);
        assert_eq!((data.version_ids.len(), data.experiment_run_ids.len()), (6, 64));
        let seen = seen.lock().unwrap();
        let count = |ending: &str| {
            seen.iter().filter(|request| request.starts_with("POST") && request.ends_with(ending)).count()
        };
        assert_eq!(count(REGISTRATIONS), 1, "tried once");
        assert_eq!((count("/registered_models"), count("/model_versions"), count("/artifacts")), (3, 6, 12));
        assert!(crate::scenario::Scenario::all(&data).iter().all(|scenario| scenario.name != "register"));
    }
}
