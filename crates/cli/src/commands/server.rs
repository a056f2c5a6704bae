//! `server` serves the registry's API; `proxy` is the same under the name and flags that existing manifests pass.

use clap::{ArgMatches, Command};
use model_registry_server::config::{Group, Schema};

use crate::service::{self, Anonymous, Roles};
use crate::{database, settings, settings_of_proxy};

/// What it has beside the settings of every role.
const GROUPS: &[Group] = &[Group::Changes, Group::Reference];

pub(crate) fn command(schema: &Schema) -> Command {
    let command = Command::new("server").about("Serve the registry's REST API").after_help(
        "Example:\n  model-registry server --listen 127.0.0.1:8080 --database postgres://user:password@host/models",
    );
    schema.attach(command, &[&service::GROUPS, GROUPS].concat())
}

pub(crate) fn proxy_command(schema: &Schema) -> Command {
    let command = Command::new("proxy")
        .about("The same as `server`, for existing manifests: takes the flags of the Kubeflow Model Registry")
        .after_help(
            "Example:\n  model-registry proxy --hostname=0.0.0.0 --embedmd-database-type=postgres \\\n    \
             --embedmd-database-dsn=postgres://user:password@host/models",
        );
    schema.attach(command, &[&service::GROUPS, GROUPS].concat())
}

pub(crate) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings(schema, arguments)?;
    let source = database::source(&settings)?;
    service::run(&settings, source, Anonymous::OnLoopback, Roles::Registry, |_| {})
}

pub(crate) fn run_proxy(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings_of_proxy(schema, arguments)?;
    let source = database::source(&settings)?;
    // Existing manifests listen on every address and leave authentication to the mesh.
    service::run(&settings, source, Anonymous::Everywhere, Roles::Registry, |_| {})
}
