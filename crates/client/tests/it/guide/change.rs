use model_registry_client::{Change, Client, Error, RegisteredModelUpdate, State};

async fn change(client: &Client, id: &str) -> Result<(), Error> {
    let models = client.registered_models();
    let update = RegisteredModelUpdate {
        owner: Change::Set("risk".to_owned()),
        description: Change::Clear,
        state: Some(State::Archived),
        ..Default::default()
    };
    models.update(id, &update).await?;

    let mut read = models.get_tagged(id).await?;
    read.entity.custom_properties.insert("reviewed".to_owned(), true.into());
    let update =
        RegisteredModelUpdate { custom_properties: Some(read.entity.custom_properties), ..Default::default() };
    models.update_if_unchanged(id, &update, &read.etag).await?;
    Ok(())
}
