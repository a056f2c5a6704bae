//! Every command that reads a catalog, run once.

use crate::command_line::support::Registry;

#[tokio::test]
async fn models_and_sources() {
    let registry = Registry::with_catalog().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry catalog sources
        model-registry catalog sources --output name
        model-registry catalog list --limit 3
        model-registry catalog list --search CHAT --source-label Validated --columns name,size,params_billion,properties
        model-registry catalog list --source sample_community_models --order-by accuracy --descending --output name
        model-registry catalog list --filter "artifacts.ttft_p90 < 60 AND tasks = 'text-generation'" --output name
        model-registry catalog list --search tern --output json --limit 1
        model-registry catalog show northwind/breeze-2b-instruct
        model-registry catalog show sample_models/northwind/breeze-2b-instruct --output name
        model-registry catalog show northwind/breeze-2b-instruct --source sample_models --columns name,license
        model-registry catalog show fjord/sound-tts --output yaml
        model-registry catalog show fjord/sound-tts --readme
        model-registry catalog search tern
        model-registry catalog search harbour --output name
        model-registry catalog search harbour --kind servers --limit 1 --output yaml
        "#
    ));
}

#[tokio::test]
async fn servers_and_tools() {
    let registry = Registry::with_catalog().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry catalog servers
        model-registry catalog servers --named-query read-only-tools --order-by updated --descending --output name
        model-registry catalog servers --search kubernetes --columns name,version,deploymentMode
        model-registry catalog tools harbour-kubernetes
        model-registry catalog tools harbour-kubernetes@1.6.0 --filter "accessType = 'execute'" --output json
        "#
    ));
}

#[tokio::test]
async fn agents_and_templates() {
    let registry = Registry::with_catalog().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry catalog agents
        model-registry catalog agents --search invoices --columns name,env,artifacts,protocol
        model-registry catalog agents --filter "labels = 'operations' OR seats > 4" --order-by updated --descending --output name
        model-registry catalog agents --source sample_agents --limit 1 --output json
        model-registry catalog agent ledger-clerk
        model-registry catalog agent sample_agents/harbour-watch --output yaml
        model-registry catalog agent sample_agents/harbour-watch --output name
        model-registry catalog agent ledger-clerk --template schedule.yaml
        model-registry catalog agent ledger-clerk --readme
        model-registry catalog search harbour --kind agents
        "#
    ));
}

#[tokio::test]
async fn a_missing_item_is_reported_with_a_hint() {
    let registry = Registry::with_catalog().await;
    insta::assert_snapshot!(registry.transcript(
        r"
        model-registry catalog show nothing
        model-registry catalog show nothing --source sample_models
        model-registry catalog tools harbour-kubernetes@9
        model-registry catalog tools id:x
        model-registry catalog list --filter 'provider ='
        model-registry catalog list --source a --source-label b
        model-registry catalog servers --named-query nothing
        model-registry catalog agent nothing
        model-registry catalog agent ledger-clerk --template nothing
        model-registry catalog agent tide-reporter --template agent.yaml
        model-registry catalog search harbour --kind cars
        "
    ));
    let without = Registry::start().await;
    insta::assert_snapshot!("a_server_without_a_catalog", without.transcript("model-registry catalog list"));
}

#[tokio::test]
async fn skills() {
    let registry = Registry::with_catalog().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry catalog skills list
        model-registry catalog skills list --source sample_skills --filter "labels = 'kubernetes'" --output json
        model-registry catalog skills search accelerator --output name
        model-registry catalog skills show sample_skills/tune-batch-size
        model-registry catalog skills show tune-batch-size@0.4.1 --output name
        model-registry catalog skills show tune-batch-size --readme
        model-registry catalog skills show lost
        model-registry catalog search kubernetes --kind skills
        "#
    ));
}
