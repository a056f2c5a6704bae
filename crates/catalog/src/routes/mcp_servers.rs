//! `/mcp_servers`: MCP servers, searched and filtered.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_catalog_store::{
    CatalogKind, CatalogList, CatalogOrder, CatalogRecord, CatalogSet, CatalogSnapshot,
};
use model_registry_filter::{Comparison, Expression, Operation, Position, Property};
use model_registry_server::{ApiError, Query, response};

use super::segments::Segments;
use super::{PageBody, filter_options, parameters, store_error};
use crate::Catalog;
use model_registry_catalog_sources::{AssetType, to_filter};

const DEFAULT_TOOLS: usize = 10;
const MOST_TOOLS: i32 = 100;

pub(super) async fn list(State(catalog): State<Catalog>, query: Query) -> Result<Response, ApiError> {
    let tools = Tools::read(&query)?;
    let page_size = parameters::page_size(&query)?;
    let mut filters: Vec<Expression> = parameters::filter(&query)?.into_iter().collect();
    if let Some(name) = query.get("namedQuery") {
        filters.extend(named(&catalog, name).await?);
    }
    filters.extend(query.get("name").map(name_pattern));
    let labels = parameters::given_list(&query, "sourceLabel");
    let sources = labels.map(|labels| catalog.configuration().sources_with_labels(AssetType::McpServers, &labels));
    let order = query.get("orderBy").and_then(|text| parameters::common_order(&text.to_ascii_uppercase()));
    let list = CatalogList {
        set: CatalogSet {
            kinds: &[CatalogKind::McpServer],
            parent_id: None,
            sources: sources.as_deref(),
            search: query.get("q"),
            filters: &filters,
        },
        order: order.unwrap_or(CatalogOrder::Id),
        sort_order: parameters::sort_order_of_servers(&query),
        page_size: Some(page_size),
        page_token: query.get("nextPageToken"),
    };
    let (page, items) = if tools.wanted {
        // A load between the two reads would leave servers without their tools.
        let mut snapshot = catalog.store.snapshot().await.map_err(store_error)?;
        let page = snapshot.list(&list).await.map_err(store_error)?;
        let items = with_tools(&mut snapshot, &page.rows, tools.limit).await?;
        (page, items)
    } else {
        let page = catalog.store.list(&list).await.map_err(store_error)?;
        let items = page.rows.iter().map(CatalogRecord::to_wire).collect();
        (page, items)
    };
    Ok(PageBody { items, page_size, next_page_token: page.next_page_token }.into_response())
}

pub(super) async fn get_one(
    State(catalog): State<Catalog>,
    Segments(server_id): Segments<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let tools = Tools::read(&query)?;
    if !tools.wanted {
        return Ok(response::json(StatusCode::OK, find(&catalog, &server_id).await?.to_wire()));
    }
    let id = parse_id(&server_id)?;
    let mut snapshot = catalog.store.snapshot().await.map_err(store_error)?;
    let found = snapshot.find_item_by_id(CatalogKind::McpServer, id).await.map_err(store_error)?;
    let server = found.ok_or_else(|| not_found(&server_id))?;
    let body = with_tools(&mut snapshot, std::slice::from_ref(&server), tools.limit).await?.concat();
    Ok(response::json(StatusCode::OK, body))
}

pub(super) async fn find(catalog: &Catalog, server_id: &str) -> Result<CatalogRecord, ApiError> {
    let id = parse_id(server_id)?;
    let found = catalog.store.find_item_by_id(CatalogKind::McpServer, id).await.map_err(store_error)?;
    found.ok_or_else(|| not_found(server_id))
}

fn parse_id(server_id: &str) -> Result<i64, ApiError> {
    server_id
        .parse()
        .map_err(|_| ApiError::Invalid(format!("invalid server ID '{server_id}': it is not a 64-bit integer")))
}

fn not_found(server_id: &str) -> ApiError {
    ApiError::NotFound(format!("server not found with ID {server_id}"))
}

/// How many tools come with a server.
#[derive(Clone, Copy)]
struct Tools {
    wanted: bool,
    /// 0 for all of them.
    limit: usize,
}

impl Tools {
    fn read(query: &Query) -> Result<Self, ApiError> {
        let limit = match parameters::integer(query, "toolLimit")? {
            // An empty number is zero (parity, catalog-service 2.1).
            None if query.has("toolLimit") => 0,
            None => DEFAULT_TOOLS,
            Some(limit) if (0..=MOST_TOOLS).contains(&limit) => usize::try_from(limit).unwrap_or_default(),
            Some(limit) => {
                let message = format!("toolLimit: {limit} is not between 0 and {MOST_TOOLS}; 0 stands for all tools");
                return Err(ApiError::Invalid(message));
            }
        };
        Ok(Self { wanted: parameters::boolean(query, "includeTools")?, limit })
    }
}

/// The servers with their tools, `limit` of each at most; 0 stands for all.
async fn with_tools(
    snapshot: &mut CatalogSnapshot,
    servers: &[CatalogRecord],
    limit: usize,
) -> Result<Vec<String>, ApiError> {
    let ids: Vec<i64> = servers.iter().map(|server| server.id).collect();
    let records = snapshot.list_children(CatalogKind::McpTool, &ids).await.map_err(store_error)?;
    let mut by_server: HashMap<i64, Vec<String>> = HashMap::new();
    for record in &records {
        let of_server = by_server.entry(record.parent_id).or_default();
        if limit == 0 || of_server.len() < limit {
            of_server.push(record.to_wire());
        }
    }
    Ok(servers
        .iter()
        .map(|server| {
            let mut wire = server.to_wire();
            if let Some(of_server) = by_server.get(&server.id) {
                // The closing brace makes room for one more member.
                wire.pop();
                wire.push_str(r#","tools":["#);
                wire.push_str(&of_server.join(","));
                wire.push_str("]}");
            }
            wire
        })
        .collect())
}

async fn named(catalog: &Catalog, name: &str) -> Result<Option<Expression>, ApiError> {
    let configuration = catalog.configuration();
    let query = configuration.named_queries(AssetType::McpServers).find(|(known, _)| *known == name);
    let Some((_, query)) = query else {
        return Err(ApiError::Invalid(format!("unknown named query \"{name}\"")));
    };
    let options = filter_options::options(catalog, AssetType::McpServers).await?;
    to_filter(query, |field, value| filter_options::bound(&options, field, value))
        .map_err(|error| ApiError::Invalid(format!("named query \"{name}\": {error}")))
}

/// The `name` parameter is a LIKE pattern (parity, catalog-service 2.13).
fn name_pattern(pattern: &str) -> Expression {
    let position = Position::default();
    Expression::Comparison(Comparison {
        property: Property { name: "name".to_owned(), explicit: None },
        operation: Operation::Like { negated: false, ignore_case: false, pattern: pattern.to_owned(), position },
        position,
    })
}
