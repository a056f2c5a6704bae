//! `deployments`: lists where a model or a version is served.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures::{StreamExt, TryStreamExt};
use model_registry_client::ListOptions;
use serde_json::Value;

use super::get::{reference_argument, target};
use super::kind_command::{KindCommand, MODELS, SERVICES, VERSIONS};
use super::reference::{add_parents, resolve_existing};
use super::{fields, list, print};
use crate::client_context::ClientContext;

pub(super) const NAME: &str = "deployments";
const COLUMNS: [&str; 7] = ["parent", "name", "model", "version", "desiredState", "runtime", "updated"];

/// The command; only models and versions are deployed.
pub(super) fn command(kind: &KindCommand) -> Option<Command> {
    if kind.name() != MODELS.name() && kind.name() != VERSIONS.name() {
        return None;
    }
    let command = Command::new(NAME)
        .about(format!("List where {} {} is deployed: environments and services", kind.article(), kind.singular))
        .after_help(format!(
            "A service without a version serves the newest version of its model.\n\n\
             Example:\n  model-registry {} {NAME} {}",
            kind.name(),
            kind.example()
        ))
        .arg(reference_argument(kind))
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Also undeployed services"));
    Some(add_parents(kind, command))
}

pub(super) async fn run(
    kind: &'static KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
) -> anyhow::Result<()> {
    let client = &context.client;
    let id = resolve_existing(client, kind, &target(kind, arguments)).await?;
    let is_model = kind.name() == MODELS.name();
    let model = if is_model { id.clone() } else { client.model_versions().get(&id).await?.registered_model_id };
    let mut filters = vec![format!("registeredModelId = {}", fields::quoted(&model))];
    if let Some(state) = SERVICES.archived.as_ref().filter(|_| !arguments.get_flag("all")) {
        filters.push(format!("{} = '{}'", state.field, state.active));
    }
    let options = ListOptions { filter: list::all_of(&filters), ..ListOptions::default() };
    let services = (SERVICES.operations.list)(client, options);
    let services = if is_model {
        services
    } else {
        let mut served = Vec::new();
        for service in services.try_collect::<Vec<_>>().await? {
            if serves(context, &service, &id).await? {
                served.push(service);
            }
        }
        futures::stream::iter(served.into_iter().map(Ok)).boxed()
    };
    print::list_with_columns(context, &SERVICES, &COLUMNS, services).await
}

/// Whether a service serves a version: by its own reference, or because the version is the newest one of its model.
async fn serves(context: &ClientContext, service: &Value, version: &str) -> anyhow::Result<bool> {
    let text = |field: &str| service.get(field).and_then(Value::as_str);
    match (text("modelVersionId"), text("id")) {
        (Some(own), _) => Ok(own == version),
        (None, Some(service)) => Ok(context.client.version_of_service(service).await?.id == version),
        (None, None) => Ok(false),
    }
}
