//! Uploads to an S3 server without signatures, digests or retries: what clients are compared with.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::header::ETAG;

use crate::error::{Error, Result};
use crate::s3::BUCKET;

/// Uploads a file in parts, several at the same time, to a server that needs no signatures.
pub async fn upload_in_parts(base_url: &str, key: &str, file: &Path, part_size: u64, at_once: usize) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build().map_err(|error| failed(&error))?;
    let object = format!("{base_url}/{BUCKET}/{key}");
    let begun = client.post(format!("{object}?uploads")).send().await.map_err(|error| failed(&error))?;
    let begun = begun.text().await.map_err(|error| failed(&error))?;
    let id = between(&begun, "<UploadId>", "</UploadId>").ok_or_else(|| failed(&"it began no upload"))?.to_owned();
    let file = Arc::new(File::open(file)?);
    let size = file.metadata()?.len();
    let parts = (0..size.div_ceil(part_size)).map(|number| {
        let (client, file, object, id) = (client.clone(), Arc::clone(&file), object.clone(), id.clone());
        async move {
            let start = number * part_size;
            let length = part_size.min(size - start);
            let body = tokio::task::spawn_blocking(move || read(&file, start, length)).await;
            let body = body.map_err(|error| failed(&error))??;
            let url = format!("{object}?partNumber={}&uploadId={id}", number + 1);
            let response = client.put(url).body(body).send().await.map_err(|error| failed(&error))?;
            let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            let tag = tag.filter(|_| response.status().is_success()).ok_or_else(|| failed(&response.status()))?;
            let tag = tag.replace('"', "&quot;");
            Ok::<_, Error>(format!("<Part><PartNumber>{}</PartNumber><ETag>{tag}</ETag></Part>", number + 1))
        }
    });
    let parts: Vec<String> = stream::iter(parts.collect::<Vec<_>>()).buffered(at_once).try_collect().await?;
    let list = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat());
    let completed = client.post(format!("{object}?uploadId={id}")).body(list).send().await;
    let completed = completed.map_err(|error| failed(&error))?;
    if completed.status().is_success() { Ok(()) } else { Err(failed(&completed.status())) }
}

fn read(file: &File, start: u64, length: u64) -> Result<Bytes> {
    let mut part = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut part, start)?;
    Ok(part.into())
}

fn between<'text>(text: &'text str, before: &str, after: &str) -> Option<&'text str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn failed(problem: &dyn std::fmt::Display) -> Error {
    Error::Failed { what: "the S3 server".to_owned(), problem: problem.to_string(), log: String::new() }
}
