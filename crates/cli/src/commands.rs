//! The subcommands, one file each. To add one: a file with `command()` and `run()`, its `mod` line and its entry in
//! [`SUBCOMMANDS`].

pub(crate) mod catalog;
mod completion;
mod config;
mod export;
mod import;
mod login;
mod metrics;
mod open;
mod profiles;
mod register;
mod search;
mod search_results;
mod server;
pub(crate) mod storage_initializer;
mod token;
mod transfer;
mod up;
pub(crate) mod upload_job;
mod watch;

use clap::{ArgMatches, Command};
use model_registry_server::config::Schema;

use crate::entity::{self, ARTIFACTS, ENVIRONMENTS, EXPERIMENTS, KindCommand, MODELS, RUNS, SERVICES, VERSIONS};

/// A subcommand.
pub(crate) enum Subcommand {
    Own {
        command: fn(&Schema) -> Command,
        run: fn(&Schema, &ArgMatches) -> anyhow::Result<()>,
    },
    /// The commands of a kind of entity: see `entity.rs`.
    Kind(&'static KindCommand),
}

use Subcommand::{Kind, Own};

/// All subcommands, in the order of the help.
pub(crate) const SUBCOMMANDS: &[Subcommand] = &[
    Own { command: up::command, run: up::run },
    Own { command: server::command, run: server::run },
    Own { command: server::proxy_command, run: server::run_proxy },
    Own { command: register::command, run: register::run },
    Own { command: search::command, run: search::run },
    Own { command: transfer::command, run: transfer::run },
    Own { command: storage_initializer::command, run: storage_initializer::run },
    Own { command: upload_job::command, run: upload_job::run },
    Kind(&MODELS),
    Kind(&VERSIONS),
    Kind(&ARTIFACTS),
    Kind(&EXPERIMENTS),
    Kind(&RUNS),
    Own { command: metrics::command, run: metrics::run },
    Kind(&ENVIRONMENTS),
    Kind(&SERVICES),
    Own { command: open::command, run: open::run },
    Own { command: login::command, run: login::run },
    Own { command: login::logout_command, run: login::run_logout },
    Own { command: profiles::command, run: profiles::run },
    Own { command: config::command, run: config::run },
    Own { command: token::command, run: token::run },
    Own { command: completion::command, run: completion::run },
    Own { command: crate::completion::command, run: crate::completion::run },
    Own { command: export::command, run: export::run },
    Own { command: import::command, run: import::run },
    Own { command: watch::command, run: watch::run },
    Own { command: catalog::command, run: catalog::run },
];

impl Subcommand {
    pub(crate) fn command(&self, schema: &Schema) -> Command {
        match self {
            Own { command, .. } => command(schema),
            Kind(kind) => entity::command(kind),
        }
    }

    pub(crate) fn run(&self, schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
        match self {
            Own { run, .. } => run(schema, arguments),
            Kind(kind) => entity::run(kind, arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use model_registry_server::config;

    use super::*;
    use crate::entity::KIND_COMMANDS;

    #[test]
    fn every_kind_command_is_a_subcommand() {
        let schema = Schema::new(&[config::SETTINGS, catalog::SETTINGS]);
        let names: Vec<String> =
            SUBCOMMANDS.iter().map(|subcommand| subcommand.command(&schema).get_name().to_owned()).collect();
        for kind in KIND_COMMANDS {
            assert!(names.iter().any(|name| name == kind.name()), "{}", kind.name());
        }
    }
}
