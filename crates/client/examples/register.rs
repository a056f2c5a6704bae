//! Registers a version of a model and lists the versions of the model.
//!
//! ```console
//! $ model-registry up &
//! $ cargo run --package model-registry-client --example register http://127.0.0.1:8080
//! ```

use std::error::Error;
use std::io::Write;

use futures::TryStreamExt;
use model_registry_client::{
    Client, ListOptions, MetadataValue, ModelArtifactCreate, ModelVersionCreate, RegisterRequest, RegisteredModelCreate,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let version = std::env::args().nth(2).unwrap_or_else(|| "v1".to_owned());
    run(&server, &version, &mut std::io::stdout()).await
}

pub(crate) async fn run(server: &str, version: &str, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let client = Client::new(server)?;
    let registered = client
        .register(&RegisterRequest {
            registered_model: RegisteredModelCreate { name: "fraud-detector".to_owned(), ..Default::default() },
            model_version: ModelVersionCreate {
                name: version.to_owned(),
                custom_properties: [("accuracy".to_owned(), MetadataValue::from(0.93))].into(),
                ..Default::default()
            },
            artifacts: vec![
                ModelArtifactCreate {
                    uri: Some("s3://models/fraud-detector".to_owned()),
                    model_format_name: Some("onnx".to_owned()),
                    ..Default::default()
                }
                .into(),
            ],
        })
        .await?;

    let mut versions = client.versions_of(&registered.registered_model.id).list(ListOptions::default());
    while let Some(version) = versions.try_next().await? {
        writeln!(output, "{} {}", registered.registered_model.name, version.name)?;
    }
    Ok(())
}
