use model_registry_client::{Client, Error, ListOptions, SearchOptions};

async fn search(client: &Client) -> Result<(), Error> {
    let page = client.search(&SearchOptions { page_size: Some(5), ..SearchOptions::of("fraud") }).await?;
    for result in &page.items {
        let parents: String = result.parents.iter().flat_map(|parent| [parent.name.as_str(), "/"]).collect();
        println!("{} {parents}{} ({} {})", result.kind, result.name, result.matched, result.field);
    }

    let options = client.model_versions().filter_options().await?;
    if let Some(accuracy) = options.filters.get("accuracy.double_value").and_then(|option| option.range.as_ref()) {
        println!("accuracies from {} to {}", accuracy.min, accuracy.max);
    }

    let options = ListOptions { total: true, page_size: Some(1), ..ListOptions::filtered("accuracy > 0.9") };
    let page = client.model_versions().page(&options, "").await?;
    let at_least = if page.total_is_exact == Some(true) { "" } else { "at least " };
    println!("{at_least}{} versions", page.total.unwrap_or_default());
    Ok(())
}
