//! `up` runs everything on one port over one SQLite file: a registry for a laptop.

use std::io::Write;

use clap::{ArgMatches, Command};
use model_registry_server::config::{Group, Schema};

use crate::commands::catalog;
use crate::service::{self, Anonymous, Roles};
use crate::{database, settings};

/// What it has beside the settings of every role.
const GROUPS: &[Group] = &[Group::Catalog, Group::Changes, Group::Reference];

pub(crate) fn command(schema: &Schema) -> Command {
    let command = Command::new("up")
        .about("Start a registry on this machine, with its data in one file")
        .after_help("Example:\n  model-registry up\n  model-registry up --port 9090 --database sqlite:models.db");
    schema.attach(command, &[&service::GROUPS, GROUPS].concat())
}

pub(crate) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings(schema, arguments)?;
    let source = database::source(&settings)?;
    let data = source.to_string();
    let mut catalog = catalog::catalog_settings(&settings);
    if catalog.sources.is_empty() {
        catalog.sources.push(model_registry_catalog::sample_sources());
    }
    service::run(&settings, source, Anonymous::OnLoopback, Roles::Both(catalog), move |base_url| {
        let api = format!("{base_url}/api/model_registry/v1alpha3");
        let catalog_api = format!("{base_url}/api/model_catalog/v1alpha1");
        let _ = write!(
            std::io::stdout(),
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
        );
        let _ = std::io::stdout().flush();
    })
}
