use futures::TryStreamExt;
use model_registry_client::{After, Client, Error};

async fn mirror(client: &Client, last_seen: i64) -> Result<(), Error> {
    let mut changes = client.changes().follow(After::Sequence(last_seen));
    while let Some(change) = changes.try_next().await? {
        println!("{} {} {} {}", change.sequence, change.verb, change.kind, change.id);
    }
    Ok(())
}
