use futures::TryStreamExt;
use model_registry_client::catalog::{IncludedTools, McpServerOptions, ModelOptions, PerformanceOptions};
use model_registry_client::{Client, Error};

async fn look_around(client: &Client) -> Result<(), Error> {
    let catalog = client.catalog();
    let options = ModelOptions {
        search: Some("chat".to_owned()),
        filter: Some("artifacts.ttft_p90 < 100".to_owned()),
        source_labels: vec!["Validated".to_owned()],
        ..ModelOptions::default()
    };
    let models: Vec<_> = catalog.models().list(options).try_collect().await?;
    for model in &models {
        // Pareto-optimal hardware for 30 requests per second.
        let options = PerformanceOptions { target_rps: Some(30), recommendations: true, ..Default::default() };
        let choices: Vec<_> =
            catalog.performance_of(&model.source_id, &model.name).list(options).try_collect().await?;
        println!("{}: {} choices", model.name, choices.len());
    }

    let options = McpServerOptions { tools: IncludedTools::All, ..Default::default() };
    let mut servers = catalog.mcp_servers().list(options);
    while let Some(server) = servers.try_next().await? {
        println!("{} has {} tools", server.name, server.tool_count);
    }
    Ok(())
}
