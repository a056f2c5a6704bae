use futures::TryStreamExt;
use model_registry_client::{Client, Error, ExperimentCreate, ExperimentRunCreate, ListOptions, Metric};

async fn log(client: &Client) -> Result<(), Error> {
    let create = ExperimentCreate { name: "tuning".to_owned(), ..Default::default() };
    let experiment = client.experiments().create(&create).await?;
    let create = ExperimentRunCreate { name: Some("first".to_owned()), ..Default::default() };
    let run = client.runs_of(&experiment.id).create(&create).await?;
    for step in 0..10 {
        let value = Some(1.0 / f64::from(step + 1));
        let metric = Metric { name: "loss".to_owned(), value, step: Some(step.into()), ..Default::default() };
        client.artifacts_of_run(&run.id).upsert(&metric.into()).await?;
    }
    let options = ListOptions { name: Some("loss".to_owned()), ..ListOptions::default() };
    let history: Vec<Metric> = client.metric_history(&run.id).list(options).try_collect().await?;
    assert_eq!(history.len(), 10);
    Ok(())
}
