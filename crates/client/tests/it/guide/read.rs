use futures::TryStreamExt;
use model_registry_client::{Client, Error, FindBy, ListOptions, OrderBy, SortOrder};

async fn read(client: &Client) -> Result<(), Error> {
    let options = ListOptions {
        order_by: OrderBy::LastUpdateTime,
        sort_order: SortOrder::Descending,
        ..ListOptions::filtered("accuracy > 0.9 AND state = 'LIVE'")
    };
    let mut versions = client.model_versions().list(options);
    while let Some(version) = versions.try_next().await? {
        println!("{} {}", version.id, version.name);
    }

    if let Some(model) = client.registered_models().find(FindBy::Name("fraud-detector")).await? {
        let versions: Vec<_> = client.versions_of(&model.id).list(ListOptions::default()).try_collect().await?;
        println!("{} versions", versions.len());
    }
    Ok(())
}
