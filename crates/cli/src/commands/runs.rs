//! `runs`: see `entity.rs`.

use clap::{ArgMatches, Command};
use model_registry_server::config::Schema;

use crate::entity::{self, RUNS};

pub(crate) fn command(_schema: &Schema) -> Command {
    entity::command(&RUNS)
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    entity::run(&RUNS, arguments)
}
