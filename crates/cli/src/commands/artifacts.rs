//! `artifacts`: see `entity.rs`.

use clap::{ArgMatches, Command};
use model_registry_server::config::Schema;

use crate::entity::{self, ARTIFACTS};

pub(crate) fn command(_schema: &Schema) -> Command {
    entity::command(&ARTIFACTS)
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    entity::run(&ARTIFACTS, arguments)
}
