//! The catalog: every operation of the contract, and the sample sources over a socket.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use model_registry_client::catalog::{
    AgentArtifact, AgentArtifactOptions, AgentOptions, ArtifactKind, ArtifactOptions, AssetType, Catalog,
    CatalogArtifact, IncludedTools, LabelOptions, McpServer, McpServerOptions, McpToolOptions, MetricsType,
    ModelOptions, PerformanceOptions, PreviewRequest, SkillOptions, SkillTrustTier, SourceOptions, SourceStatus,
};
use model_registry_client::{Error, MetadataValue, Result, SortOrder};
use serde_json::Value;

use crate::support::{FakeServer, catalog, response};

const CONTRACT: &str = include_str!("../../../catalog/tests/contract/catalog.yaml");

const MODEL: (&str, &str) = ("sample_models", "northwind/breeze-2b-instruct");

/// Method and path of every operation, with `7` for each parameter.
fn contract() -> BTreeSet<String> {
    let contract: Value = serde_saphyr::from_str(CONTRACT).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in contract["paths"].as_object().unwrap() {
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "7" } else { segment });
        let path = segments.collect::<Vec<_>>().join("/");
        for method in ["get", "post", "patch", "put", "delete"] {
            if item.get(method).is_some() {
                operations.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    operations
}

async fn call_everything(catalog: &Catalog) -> Result<()> {
    catalog.sources().page(&SourceOptions::default(), "").await?;
    catalog.labels().page(&LabelOptions::default(), "").await?;
    catalog.models().page(&ModelOptions::default(), "").await?;
    catalog.model_filter_options().await?;
    catalog.model("7", "7").await?;
    catalog.artifacts_of("7", "7").page(&ArtifactOptions::default(), "").await?;
    catalog.performance_of("7", "7").page(&PerformanceOptions::default(), "").await?;
    catalog.preview(PreviewRequest::default()).page("").await?;
    catalog.mcp_servers().page(&McpServerOptions::default(), "").await?;
    catalog.mcp_server_filter_options().await?;
    catalog.mcp_server("7", IncludedTools::None).await?;
    catalog.tools_of("7").page(&McpToolOptions::default(), "").await?;
    catalog.mcp_tool("7", "7").await?;
    catalog.agents().page(&AgentOptions::default(), "").await?;
    catalog.agent_filter_options().await?;
    catalog.agent("7").await?;
    catalog.agent_artifacts_of("7").page(&AgentArtifactOptions::default(), "").await?;
    catalog.skills().page(&SkillOptions::default(), "").await?;
    catalog.skill_filter_options().await?;
    catalog.skill("7").await?;
    Ok(())
}

#[tokio::test]
async fn every_operation_of_the_contract_is_called() {
    let fake = FakeServer::start(|_| response(200, &[], r#"{"items":[]}"#)).await;
    call_everything(&fake.server.client().catalog()).await.unwrap();
    let requests = fake.requests();
    let called: BTreeSet<String> =
        requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    assert_eq!(called, contract());
    assert_eq!(called.len(), 20);
    // A preview is a read, hence without a key.
    assert!(requests.iter().all(|request| !request.headers.contains_key("idempotency-key")));
}

#[tokio::test]
async fn options_become_parameters() {
    let fake = FakeServer::start(|_| response(200, &[], r#"{"items":[]}"#)).await;
    let catalog = fake.server.client().catalog();
    let options = ModelOptions {
        search: Some("a b".to_owned()),
        sources: vec!["x".to_owned(), "y".to_owned()],
        recommendations: true,
        target_rps: Some(20),
        sort_order: SortOrder::Descending,
        page_size: Some(3),
        ..ModelOptions::default()
    };
    catalog.models().page(&options, "t").await.unwrap();
    let options = McpServerOptions { tools: IncludedTools::All, ..McpServerOptions::default() };
    catalog.mcp_servers().page(&options, "").await.unwrap();
    let queries: Vec<_> =
        fake.requests().iter().map(|request| request.path.split_once('?').unwrap().1.to_owned()).collect();
    assert_eq!(
        queries,
        [
            "q=a+b&source=x&source=y&recommendations=true&targetRPS=20&sortOrder=DESC&pageSize=3&nextPageToken=t",
            "includeTools=true&toolLimit=0",
        ]
    );
}

#[tokio::test]
async fn models_and_their_artifacts_are_listed_as_streams() {
    let server = catalog().await;
    let catalog = server.client().catalog();
    let options = ModelOptions {
        search: Some("BREEZE".to_owned()),
        source_labels: vec!["Validated".to_owned()],
        page_size: Some(1),
        ..ModelOptions::default()
    };
    let models: Vec<_> = catalog.models().list(options).try_collect().await.unwrap();
    assert!(models.len() > 1 && models.iter().all(|model| model.name.contains("breeze")), "{models:?}");

    let model = catalog.model(MODEL.0, MODEL.1).await.unwrap();
    assert_eq!((model.source_id.as_str(), model.name.as_str()), MODEL);
    assert_eq!(model.custom_properties["context_length"], MetadataValue::Int(32_768));

    let options = ArtifactOptions { kind: Some(ArtifactKind::Model), ..ArtifactOptions::default() };
    let artifacts: Vec<_> = catalog.artifacts_of(MODEL.0, MODEL.1).list(options).try_collect().await.unwrap();
    let [CatalogArtifact::Model(artifact)] = artifacts.as_slice() else { panic!("{artifacts:?}") };
    assert_eq!(artifact.uri, "oci://registry.northwind.example/models/breeze-2b-instruct:1.3");

    let options = PerformanceOptions { target_rps: Some(30), recommendations: true, ..PerformanceOptions::default() };
    let chosen: Vec<_> = catalog.performance_of(MODEL.0, MODEL.1).list(options).try_collect().await.unwrap();
    let CatalogArtifact::Metrics(first) = &chosen[0] else { panic!("{chosen:?}") };
    assert_eq!(first.metrics_type, MetricsType::PerformanceMetrics);
    assert!(matches!(first.custom_properties["replicas"], MetadataValue::Int(1..)), "{first:?}");

    assert!(matches!(catalog.model(MODEL.0, "nobody/nothing").await, Err(Error::NotFound(_))));
    let none: Vec<_> = catalog.artifacts_of("..", "x").list(ArtifactOptions::default()).collect().await;
    assert!(matches!(none.as_slice(), [Err(Error::Usage(_))]), "{none:?}");
}

#[tokio::test]
async fn sources_labels_and_filter_options_are_typed() {
    let server = catalog().await;
    let catalog = server.client().catalog();
    let options = SourceOptions { asset_type: Some(AssetType::McpServers), ..SourceOptions::default() };
    let sources: Vec<_> = catalog.sources().list(options).try_collect().await.unwrap();
    let [source] = sources.as_slice() else { panic!("{sources:?}") };
    assert_eq!((source.id.as_str(), &source.status), ("sample_mcp_servers", &Some(SourceStatus::Available)));

    let labels: Vec<_> = catalog.labels().list(LabelOptions::default()).try_collect().await.unwrap();
    assert_eq!(labels[0].display_name.as_deref(), Some("Validated models"));
    assert_eq!(labels[0].others["description"], "Measured and supported by their providers");

    let options = catalog.model_filter_options().await.unwrap();
    assert_eq!(options.filters["license"].value_type, "string");
    let range = options.filters["artifacts.ttft_p90.double_value"].range.unwrap();
    assert!(range.min < range.max);
    assert_eq!(options.named_queries["quick-answers"]["artifacts.ttft_p90.double_value"].operator, "<=");
    assert!(!catalog.mcp_server_filter_options().await.unwrap().filters.is_empty());
}

#[tokio::test]
async fn tools_are_included_with_servers_on_request() {
    let server = catalog().await;
    let catalog = server.client().catalog();
    let options = McpServerOptions { named_query: Some("read-only-tools".to_owned()), ..McpServerOptions::default() };
    let all: Vec<McpServer> = catalog.mcp_servers().list(McpServerOptions::default()).try_collect().await.unwrap();
    let read_only: Vec<McpServer> = catalog.mcp_servers().list(options).try_collect().await.unwrap();
    assert!(!read_only.is_empty() && read_only.len() < all.len());

    let one = all.iter().find(|server| server.name == "harbour-kubernetes").unwrap();
    assert_eq!((one.tool_count, &one.tools), (4, &None));
    assert_eq!(catalog.mcp_server(&one.id, IncludedTools::AtMost(2)).await.unwrap().tools.unwrap().len(), 2);
    assert_eq!(catalog.mcp_server(&one.id, IncludedTools::AtMost(0)).await.unwrap().tools, None);
    assert_eq!(catalog.mcp_server(&one.id, IncludedTools::All).await.unwrap().tools.unwrap().len(), 4);

    let options = McpToolOptions { filter: Some("accessType = 'read_only'".to_owned()), ..McpToolOptions::default() };
    let tools: Vec<_> = catalog.tools_of(&one.id).list(options).try_collect().await.unwrap();
    assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["list_pods", "get_logs"]);
    let tool = catalog.mcp_tool(&one.id, "get_logs").await.unwrap();
    assert_eq!((tool.server_name.as_str(), tool.tool.parameters.unwrap()[0].name.as_str()), (one.name.as_str(), "pod"));
}

#[tokio::test]
async fn skills_are_typed() {
    let server = catalog().await;
    let catalog = server.client().catalog();
    let options = SkillOptions { filter: Some("trustTier = 'platformProvided'".to_owned()), ..SkillOptions::default() };
    let found: Vec<_> = catalog.skills().list(options).try_collect().await.unwrap();
    let [skill] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((skill.name.as_str(), skill.source_id.as_str()), ("summarize-model-card", "sample_skills"));
    assert_eq!(skill.trust_tier, Some(SkillTrustTier::PlatformProvided));
    assert_eq!(catalog.skill(&skill.id).await.unwrap(), *skill);
    assert!(catalog.skill_filter_options().await.unwrap().filters.contains_key("category"));
    let named = SkillOptions {
        name: Some("tune%".to_owned()),
        sources: vec!["sample_skills".to_owned()],
        ..SkillOptions::default()
    };
    assert_eq!(catalog.skills().list(named).try_collect::<Vec<_>>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn agents_and_their_templates_are_typed() {
    let server = catalog().await;
    let catalog = server.client().catalog();
    let options = AgentOptions { filter: Some("framework = 'langgraph'".to_owned()), ..AgentOptions::default() };
    let found: Vec<_> = catalog.agents().list(options).try_collect().await.unwrap();
    let [agent] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((agent.name.as_str(), agent.source_id.as_str()), ("ledger-clerk", "sample_agents"));
    assert_eq!(catalog.agent(&agent.id).await.unwrap(), *agent);
    let required: Vec<_> = agent.env.iter().flatten().filter(|variable| variable.required).collect();
    assert_eq!(required.len(), 2);
    assert_eq!(agent.artifacts.as_ref().unwrap()[0].artifact_type, "image-artifact");
    let by_name = AgentArtifactOptions { order_by: Some("NAME".to_owned()), ..AgentArtifactOptions::default() };
    let artifacts: Vec<_> = catalog.agent_artifacts_of(&agent.id).list(by_name).try_collect().await.unwrap();
    let AgentArtifact::Template(schedule) = &artifacts[1] else { panic!("{artifacts:?}") };
    assert_eq!((schedule.name.as_deref(), schedule.content.as_str()), (Some("schedule.yaml"), "every: 15m\n"));
    assert!(catalog.agent_filter_options().await.unwrap().filters.contains_key("framework"));
    let named = AgentOptions {
        name: Some("%watch".to_owned()),
        sources: vec!["sample_agents".to_owned()],
        ..AgentOptions::default()
    };
    assert_eq!(catalog.agents().list(named).try_collect::<Vec<_>>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_preview_is_listed_page_by_page() {
    let server = catalog().await;
    let catalog = server.client().catalog();
    let request = PreviewRequest {
        config: "type: yaml\nexcludedModels: ['b*']".to_owned(),
        catalog_data: Some("models: [{name: a}, {name: b}, {name: c}]".to_owned()),
        page_size: Some(1),
        ..PreviewRequest::default()
    };
    let names: Vec<_> = catalog.preview(request.clone()).list().try_collect().await.unwrap();
    let names: Vec<_> = names.iter().map(|found| (found.name.as_str(), found.included)).collect();
    assert_eq!(names, [("a", true), ("b", false), ("c", true)]);

    let page = catalog.preview(PreviewRequest { included: Some(false), ..request.clone() }).page("").await.unwrap();
    assert_eq!((page.items[0].name.as_str(), page.summary.total(), page.summary.excluded()), ("b", 3, 1));

    let agents = PreviewRequest {
        config: "assetType: agents\ntype: yaml".to_owned(),
        catalog_data: Some("agents: [{name: a}]".to_owned()),
        ..PreviewRequest::default()
    };
    let page = catalog.preview(agents).page("").await.unwrap();
    assert_eq!((page.asset_type, page.summary.total()), (AssetType::Agents.into(), 1));

    let broken = PreviewRequest { config: "type: nothing".to_owned(), ..request };
    let ended: Vec<_> = catalog.preview(broken).list().collect().await;
    assert!(matches!(ended.as_slice(), [Err(Error::Invalid(response))] if response.status == 422), "{ended:?}");
}
