//! `versions`: see `entity.rs`.

use clap::{ArgMatches, Command};
use model_registry_server::config::Schema;

use crate::entity::{self, VERSIONS};

pub(crate) fn command(_schema: &Schema) -> Command {
    entity::command(&VERSIONS)
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    entity::run(&VERSIONS, arguments)
}
