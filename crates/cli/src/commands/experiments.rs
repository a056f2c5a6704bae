//! `experiments`: see `entity.rs`.

use clap::{ArgMatches, Command};
use model_registry_server::config::Schema;

use crate::entity::{self, EXPERIMENTS};

pub(crate) fn command(_schema: &Schema) -> Command {
    entity::command(&EXPERIMENTS)
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    entity::run(&EXPERIMENTS, arguments)
}
