//! Candidates that are names: of entities and items on the server, of profiles, and of columns.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::{StreamExt, TryStreamExt};
use model_registry_client::catalog::{AssetType, SourceOptions};
use model_registry_client::{Client, Kind, ListOptions, OrderBy, Retries, SortOrder};
use model_registry_server::config::Environment;
use serde_json::Value;

use super::Candidate;
use super::position::Position;
use crate::client_context::{block_on, with_connection};
use crate::client_settings::ClientSettings;
use crate::commands::catalog::assets;
use crate::entity::print::known_columns;
use crate::entity::{
    KIND_COMMANDS, KindCommand, RUNS, Target, name_starts_with, parent_names, quoted, resolve, values,
};
use crate::profiles::Profiles;

/// Time limit of all requests for one completion.
const TIME_LIMIT: Duration = Duration::from_millis(1_500);
const CONNECT_TIME_LIMIT: Duration = Duration::from_millis(500);
/// The maximum number of names; the newest ones.
const MOST: u32 = 200;

/// The names for an argument; none if there is a failure or the server does not respond in time.
pub(super) fn find(position: &Position<'_>, id: &str, placeholder: &str, text: &str) -> Vec<Candidate> {
    let path = position.path.as_slice();
    match (path, id) {
        (_, "profile") | (["profiles", ..], "name") => return profiles(),
        (_, "columns") => return columns(path),
        _ => {}
    }
    let Some(source) = Source::of(position, id, placeholder) else { return Vec::new() };
    let found = block_on(async {
        let client = client(position)?;
        tokio::time::timeout(TIME_LIMIT, source.load(&client, position, text)).await?
    });
    found.unwrap_or_default()
}

/// Where the names of an argument come from.
enum Source {
    Entities(&'static KindCommand),
    /// Only the parents, since the name itself is new.
    Parents(&'static KindCommand),
    MetricsOfRun,
    CatalogItems(AssetType),
    CatalogSources,
}

impl Source {
    /// The placeholder of an argument identifies its source.
    fn of(position: &Position<'_>, id: &str, placeholder: &str) -> Option<Self> {
        let path = position.path.as_slice();
        if path.first() == Some(&"catalog") {
            return match placeholder {
                "SOURCE" => Some(Self::CatalogSources),
                _ => assets::of_placeholder(placeholder).map(Self::CatalogItems),
            };
        }
        let of_name = |name: &str| KIND_COMMANDS.into_iter().find(|kind| kind.name() == name);
        if placeholder == "ENTITY" {
            return of_name(position.arguments.first()?).map(Self::Entities);
        }
        if placeholder == "METRIC" {
            return Some(Self::MetricsOfRun);
        }
        let kind = KIND_COMMANDS.into_iter().find(|kind| kind.placeholder == placeholder)?;
        let is_new = path.last() == Some(&"create") && id == "reference";
        Some(if is_new { Self::Parents(kind) } else { Self::Entities(kind) })
    }

    async fn load(&self, client: &Client, position: &Position<'_>, text: &str) -> anyhow::Result<Vec<Candidate>> {
        match self {
            Self::Entities(kind) => match parent_of_options(kind, position) {
                Some(parent) => children(client, kind, parent, "", text).await,
                None => entities(client, kind, text).await,
            },
            Self::Parents(kind) => match kind.parent_kinds().first() {
                Some(parent) if parent_of_options(kind, position).is_none() => {
                    Ok(entities(client, parent, text).await?.into_iter().map(as_parent).collect())
                }
                _ => Ok(Vec::new()),
            },
            Self::MetricsOfRun => {
                let Some(run) = position.arguments.first() else { return Ok(Vec::new()) };
                let run = resolve(client, &RUNS, &Target { parent: None, reference: run.clone() }).await?;
                let options = ListOptions { artifact_type: Some(Kind::Metric), ..ListOptions::default() };
                let metrics: Vec<Value> = values(client.artifacts_of_run(&run).list(options)).try_collect().await?;
                Ok(metrics.iter().map(|metric| candidate(field(metric, "name").to_owned(), metric)).collect())
            }
            Self::CatalogItems(asset_type) => {
                let catalog = client.catalog();
                let items = assets::items(&catalog, *asset_type, searched(text), Some(MOST));
                let items: Vec<Value> = items.take(usize::try_from(MOST)?).try_collect().await?;
                let mut found: Vec<Candidate> =
                    items.iter().map(|item| candidate(assets::reference(*asset_type, item), item)).collect();
                if !text.is_empty() && assets::is_found_without_source(*asset_type) {
                    let names = items.iter().map(|item| candidate(field(item, "name").to_owned(), item));
                    found.extend(names.collect::<Vec<_>>());
                    found.sort_by(|one, other| one.value.cmp(&other.value));
                    found.dedup_by(|one, other| one.value == other.value);
                }
                Ok(found)
            }
            Self::CatalogSources => {
                let sources = client.catalog().sources().page(&SourceOptions::default(), "").await?.items;
                Ok(sources
                    .into_iter()
                    .map(|source| Candidate { value: source.id, help: source.name, continues: false })
                    .collect())
            }
        }
    }
}

/// A client that gives up early, for the server of the options before the cursor.
fn client(position: &Position<'_>) -> anyhow::Result<Client> {
    let command = with_connection(clap::Command::new("model-registry"));
    let known = ["server", "token", "token-file", "ca-file", "profile"];
    let options = position.options.iter().filter(|(id, _)| known.contains(id));
    let arguments = options.map(|(id, value)| format!("--{id}={value}"));
    let arguments = command.try_get_matches_from(std::iter::once("model-registry".to_owned()).chain(arguments))?;
    let settings = ClientSettings::load(&arguments, &Environment::of_process())?;
    let builder = settings.builder()?.timeout(TIME_LIMIT).connect_timeout(CONNECT_TIME_LIMIT).retries(Retries::none());
    Ok(builder.build()?)
}

/// The parent that an option before the cursor sets.
fn parent_of_options(kind: &KindCommand, position: &Position<'_>) -> Option<(&'static KindCommand, String)> {
    kind.parent_kinds().into_iter().find_map(|parent| {
        let id = crate::entity::parent_option(parent);
        let (_, reference) = position.options.iter().find(|(option, _)| *option == id)?;
        Some((parent, reference.clone()))
    })
}

/// The entities whose references begin with `text`, and their possible parents, which continue with a slash.
fn entities<'a>(
    client: &'a Client,
    kind: &'static KindCommand,
    text: &'a str,
) -> BoxFuture<'a, anyhow::Result<Vec<Candidate>>> {
    async move {
        let Some(parent) = kind.parent_kinds().into_iter().next() else {
            let found = newest(client, kind, None, text).await?;
            let none = parent_names::ParentNames::default();
            return Ok(found.iter().map(|entity| candidate(kind.reference(entity, &none), entity)).collect());
        };
        let mut found: Vec<Candidate> = entities(client, parent, text).await?.into_iter().map(as_parent).collect();
        if let Some((path, name)) = text.rsplit_once('/') {
            // The path may only be the beginning of a name with a slash.
            let below = children(client, kind, (parent, path.to_owned()), &format!("{path}/"), name).await;
            found.extend(below.unwrap_or_default());
        }
        Ok(found)
    }
    .boxed()
}

/// The children of a parent whose names begin with `text`, each after `before`.
async fn children(
    client: &Client,
    kind: &'static KindCommand,
    (parent, reference): (&'static KindCommand, String),
    before: &str,
    text: &str,
) -> anyhow::Result<Vec<Candidate>> {
    let parent_id = resolve(client, parent, &Target { parent: None, reference }).await?;
    let found = newest(client, kind, Some((parent, &parent_id)), text).await?;
    // A name with a slash would be read as that of another parent.
    let names = found.iter().filter(|entity| !field(entity, "name").contains('/'));
    Ok(names.map(|entity| candidate(format!("{before}{}", field(entity, "name")), entity)).collect())
}

async fn newest(
    client: &Client,
    kind: &'static KindCommand,
    parent: Option<(&'static KindCommand, &str)>,
    text: &str,
) -> anyhow::Result<Vec<Value>> {
    let mut filters = Vec::new();
    if !text.is_empty() {
        filters.push(name_starts_with(text));
    }
    if let (Some((_, id)), Some((_, field))) = (parent, kind.parent()) {
        filters.push(format!("{field} = {}", quoted(id)));
    }
    let options = ListOptions {
        filter: (!filters.is_empty()).then(|| filters.join(" AND ")),
        order_by: OrderBy::LastUpdateTime,
        sort_order: SortOrder::Descending,
        page_size: Some(MOST),
        ..ListOptions::default()
    };
    let items = match parent {
        Some((parent, id)) if kind.is_artifact() && parent.name() == RUNS.name() => {
            values(client.artifacts_of_run(id).list(options))
        }
        Some((_, id)) if kind.is_artifact() => values(client.artifacts_of_version(id).list(options)),
        _ => (kind.operations.list)(client, options),
    };
    Ok(items.take(usize::try_from(MOST).unwrap_or(usize::MAX)).try_collect().await?)
}

fn as_parent(mut candidate: Candidate) -> Candidate {
    if !candidate.value.ends_with('/') {
        candidate.value.push('/');
    }
    candidate.continues = true;
    candidate
}

fn candidate(value: String, item: &Value) -> Candidate {
    Candidate { value, help: field(item, "description").to_owned(), continues: false }
}

fn field<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The text for a search of the catalog: the last part of a reference, without the version.
fn searched(text: &str) -> Option<String> {
    let last = text.rsplit('/').next().unwrap_or_default();
    let last = last.split('@').next().unwrap_or_default();
    (!last.is_empty()).then(|| last.to_owned())
}

fn profiles() -> Vec<Candidate> {
    let profiles = Profiles::load().unwrap_or_default();
    let candidate = |(value, profile): (String, crate::profiles::Profile)| Candidate {
        value,
        help: profile.server.unwrap_or_default(),
        continues: false,
    };
    profiles.named.into_iter().map(candidate).collect()
}

/// The columns of the kind of a command.
fn columns(path: &[&str]) -> Vec<Candidate> {
    let kind = KIND_COMMANDS.into_iter().find(|kind| path.first() == Some(&kind.name()));
    let mut names: Vec<&str> = kind.into_iter().flat_map(known_columns).collect();
    names.extend(["id", "name", "created", "updated"]);
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| Candidate { value: name.to_owned(), help: String::new(), continues: false }).collect()
}
