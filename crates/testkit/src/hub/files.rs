//! The files of a model: their list, and their content at a revision.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::RANGE;
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value, json};

use super::{Hub, HubServer, denied, error};
use crate::file_server::file_response;

/// A file of a model. Large ones are listed with the SHA-256 digest of their content.
pub(super) struct HubFile {
    pub(super) content: Bytes,
    pub(super) sha256: Option<String>,
}

impl HubFile {
    /// The entity tag: of a large file its digest.
    fn tag(&self) -> String {
        let sum = self.content.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        format!("\"{}\"", self.sha256.clone().unwrap_or_else(|| format!("{sum:040x}")))
    }
}

pub(super) type HubFiles = BTreeMap<String, HubFile>;

impl HubServer {
    /// Adds a file to a model that was published; a large one with its digest.
    pub fn publish_file(&self, model: &str, path: &str, content: impl Into<Bytes>, sha256: Option<String>) {
        let file = HubFile { content: content.into(), sha256 };
        let mut hub = self.hub();
        hub.files.entry(model.to_owned()).or_default().insert(path.to_owned(), file);
        let siblings = hub.models.get_mut(model).and_then(|info| info["siblings"].as_array_mut());
        if let Some(siblings) = siblings {
            siblings.push(json!({"rfilename": path}));
        }
    }
}

/// The response about a revision (`NAME/revision/REVISION`) or its files (`NAME/tree/REVISION`); `None` for another path.
pub(super) fn revision_or_tree(hub: &Hub, path: &str, headers: &HeaderMap) -> Option<Response> {
    let tree_of = path.split_once("/tree/");
    let (name, revision) = tree_of.or_else(|| path.split_once("/revision/"))?;
    if let Some(denied) = denied(hub, name, headers) {
        return Some(denied);
    }
    let info = &hub.models[name];
    if revision != "main" && info["sha"] != revision {
        return Some(error(StatusCode::NOT_FOUND, "RevisionNotFound", "Invalid rev id"));
    }
    Some(Json(if tree_of.is_some() { tree(hub.files.get(name)) } else { info.clone() }).into_response())
}

fn tree(files: Option<&HubFiles>) -> Value {
    let nodes = files.into_iter().flatten().flat_map(|(path, file)| {
        let (size, sha256) = (file.content.len(), &file.sha256);
        let mut node = json!({"type": "file", "oid": "0123456789", "size": size, "path": path});
        if let Some(sha256) = sha256 {
            node["lfs"] = json!({"oid": sha256, "size": size, "pointerSize": 134});
        }
        let directory = path
            .rsplit_once('/')
            .map(|(directory, _)| json!({"type": "directory", "oid": "1", "size": 0, "path": directory}));
        directory.into_iter().chain([node])
    });
    nodes.collect()
}

/// The content of a file, in ranges if requested.
pub(super) async fn resolve(
    State(server): State<HubServer>,
    headers: HeaderMap,
    Path((organization, name, _revision, file)): Path<(String, String, String, String)>,
) -> Response {
    let full_name = format!("{organization}/{name}");
    let is_published = server.hub().files.get(&full_name).is_some_and(|files| files.contains_key(&file));
    if !is_published {
        return super::raw(State(server), headers, Path((organization, name, file))).await;
    }
    let respond = |hub: &Hub| {
        denied(hub, &full_name, &headers).unwrap_or_else(|| {
            let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
            let file = &hub.files[&full_name][&file];
            let mut response = file_response(&file.content, range, Some(&file.tag()), None, true);
            let commit = hub.models[&full_name]["sha"].as_str().and_then(|commit| commit.parse().ok());
            response.headers_mut().extend(commit.map(|commit| (HeaderName::from_static("x-repo-commit"), commit)));
            response
        })
    };
    server.respond(&format!("/{full_name}/{file}"), &headers, respond).await
}
