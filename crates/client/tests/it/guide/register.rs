use model_registry_client::{
    Client, Error, MetadataValue, ModelArtifactCreate, ModelVersionCreate, RegisterRequest, RegisteredModelCreate,
};

async fn register(client: &Client) -> Result<String, Error> {
    let request = RegisterRequest {
        registered_model: RegisteredModelCreate { name: "fraud-detector".to_owned(), ..Default::default() },
        model_version: ModelVersionCreate {
            name: "v1".to_owned(),
            custom_properties: [("accuracy".to_owned(), MetadataValue::from(0.93))].into(),
            ..Default::default()
        },
        artifacts: vec![
            ModelArtifactCreate { uri: Some("s3://models/fraud/1".to_owned()), ..Default::default() }.into(),
        ],
    };
    Ok(client.register(&request).await?.model_version.id)
}
