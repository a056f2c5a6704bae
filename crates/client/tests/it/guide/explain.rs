use model_registry_client::{Client, Error};

async fn explain(client: &Client) {
    match client.registered_models().get("999").await {
        Err(Error::NotFound(response)) => println!("{} ({})", response.message, response.request_id),
        Err(error) if error.is_temporary() => println!("later: {error}"),
        other => println!("{other:?}"),
    }
}
