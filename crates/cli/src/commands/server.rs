//! `server`: serves the API of the registry; `proxy` is the same with the name and flags of existing manifests
//! (parity).

use clap::{ArgMatches, Command};
use model_registry_server::config::{Group, Schema};

use crate::server_process::{self, Anonymous, Apis};
use crate::{database, settings, settings_of_proxy};

/// Groups of settings in addition to those of every server.
const GROUPS: &[Group] = &[Group::Changes, Group::Deprecation, Group::Compatibility];

pub(super) fn command(schema: &Schema) -> Command {
    let command = Command::new("server").about("Serve the REST API of the registry").after_help(
        "Example:\n  model-registry server --listen 127.0.0.1:8080 --database postgres://user:password@host/models",
    );
    schema.attach(command, &[&server_process::GROUPS, GROUPS].concat())
}

pub(super) fn proxy_command(schema: &Schema) -> Command {
    let command = Command::new("proxy")
        .about("Like `server`, with the flags of the Kubeflow Model Registry, for existing manifests")
        .after_help(
            "Example:\n  model-registry proxy --hostname=0.0.0.0 --embedmd-database-type=postgres \\\n    \
             --embedmd-database-dsn=postgres://user:password@host/models",
        );
    schema.attach(command, &[&server_process::GROUPS, GROUPS].concat())
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings(schema, arguments)?;
    let database = database::required_url(&settings, "server")?;
    server_process::run(&settings, database, Anonymous::OnLoopback, Apis::Registry, |_| {})
}

pub(super) fn run_proxy(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let settings = settings_of_proxy(schema, arguments)?;
    let database = database::required_url(&settings, "proxy")?;
    // Existing manifests listen on all addresses and leave authentication to a service mesh.
    server_process::run(&settings, database, Anonymous::Everywhere, Apis::Registry, |_| {})
}
