//! `up`: serves registry and catalog on one port, with a SQLite file by default: a registry for a laptop.

use clap::{ArgMatches, Command};
use model_registry_server::config::{Group, Schema};

use crate::commands::catalog;
use crate::server_process::{self, Anonymous, Apis};
use crate::{database, print, settings};

/// Groups of settings in addition to those of every server.
const GROUPS: &[Group] = &[Group::Catalog, Group::Changes, Group::Deprecation, Group::Compatibility];

pub(super) fn command(schema: &Schema) -> Command {
    let command = Command::new("up")
        .about("Start registry and catalog on this machine, with a SQLite database by default")
        .after_help("Example:\n  model-registry up\n  model-registry up --port 9090 --database sqlite:models.db");
    schema.attach(command, &[&server_process::GROUPS, GROUPS].concat())
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings(schema, arguments)?;
    let database = database::url(&settings)?;
    let data = database.to_string();
    let mut catalog = catalog::catalog_settings(&settings);
    if catalog.sources.is_empty() {
        catalog.sources.push(model_registry_catalog::sample_sources());
    }
    server_process::run(&settings, database, Anonymous::OnLoopback, Apis::Both(catalog), move |base_url| {
        let api = format!("{base_url}/api/model_registry/v1alpha3");
        let catalog_api = format!("{base_url}/api/model_catalog/v1alpha1");
        // The server runs also if standard output is closed.
        let _ = print::text(&format!(
            "Model Registry is starting. Stop it with Ctrl-C.\n\n  \
             REST API   {api}\n  \
             Catalog    {catalog_api}\n  \
             API docs   {base_url}/docs\n  \
             OpenAPI    {base_url}/openapi.json and {base_url}{}\n  \
             Health     {base_url}/readyz/health\n  \
             Data       {data}\n\n\
             Next, register a first model:\n\n  \
             curl {api}/registered_models -d '{{\"name\": \"my-model\"}}'\n\n",
            model_registry_catalog::OPENAPI_PATH
        ));
    })
}
