//! `storage-initializer`: fetches the files of a model in the place of KServe's storage initializer.

use std::sync::Arc;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};
use model_registry_jobs::storage_initializer::{self, FAILED, USAGE};
use model_registry_jobs::{Inputs, Log, TerminationFile};
use model_registry_server::config::{Environment, Schema};
use model_registry_transfer::Stop;

use crate::failure::CommandError;
use crate::jobs::{jobs_log, run_to_end};
use crate::transfer::Progress;

const NAME: &str = "storage-initializer";
/// The name under which images of KServe have this program.
pub(crate) const PROGRAM: &str = "mr-storage-initializer";

pub(super) fn command(_schema: &Schema) -> Command {
    let argument = |id: &'static str, name: &'static str, help: &'static str| {
        Arg::new(id).value_name(name).value_parser(NonEmptyStringValueParser::new()).required(true).help(help)
    };
    Command::new(NAME)
        .about("Fetch the files of a model in a pod, as the storage initializer of KServe")
        .long_about(
            "Fetch the files of a model into a directory, as the storage initializer of KServe does. The executable does the same under \
             the name mr-storage-initializer.\n\nSRC is model-registry://MODEL[/VERSION][?namespace=NAMESPACE], \
             model-registry://HOST[:PORT]/MODEL[/VERSION], or any source of `model-registry transfer`. Without VERSION, the \
             newest live version is meant.\n\nMetadata servers of clouds and link-local addresses are never connected. Every failure \
             has exit code 1, and its reason is the last line on standard error and the termination message.\n\nVariables:\n  \
             MODEL_REGISTRY_BASE_URL        host[:port] of the default registry [default: localhost:8080]\n  \
             MODEL_REGISTRY_SCHEME          http or https [default: http]\n  \
             MODEL_REGISTRY_SERVICE_NAME    service of ?namespace= [default: model-registry-service]\n  \
             MODEL_REGISTRY_CLUSTER_DOMAIN  domain of ?namespace= [default: svc.cluster.local]\n  \
             MR_TOKEN, MR_TOKEN_FILE        bearer token, for the default registry only\n  \
             MR_TOKEN_HOSTS                 other registries that get the token, such as *.svc.cluster.local\n  \
             MR_CA_FILE                     trusted certificates (PEM), in addition to the system's\n  \
             ALLOWED_ARTIFACT_URI_PREFIXES  locations that may be fetched, separated by commas [default: all]\n  \
             TERMINATION_MESSAGE_PATH       file for the reason of a failure [default: /dev/termination-log]\n  \
             AWS_…, S3_…, GOOGLE_…, AZURE_…, HF_TOKEN, STORAGE_CONFIG: as KServe sets them",
        )
        .after_help("Example:\n  model-registry storage-initializer model-registry://iris/v1 /mnt/models")
        .arg(argument("source", "SRC", "Location of the files"))
        .arg(argument("destination", "DEST", "Directory that they are written to"))
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let text = |id: &str| arguments.get_one::<String>(id).cloned().unwrap_or_default();
    if fetch(&text("source"), &text("destination")) { Ok(()) } else { Err(CommandError::reported(FAILED).into()) }
}

/// Runs the program under its own name; returns its exit code. `None`: the arguments are options of the subcommand.
pub(crate) fn run_as_program(arguments: &[String]) -> Option<u8> {
    match arguments {
        [option] if matches!(option.as_str(), "-h" | "--help" | "-V" | "--version") => None,
        [source, destination] => Some(if fetch(source, destination) { 0 } else { FAILED }),
        _ => {
            eprintln!("{USAGE}");
            Some(FAILED)
        }
    }
}

/// Whether the files are there. The reason of a failure is logged, and is the termination message.
fn fetch(source: &str, destination: &str) -> bool {
    let environment = Environment::of_process();
    let log = Log::new(NAME, jobs_log(&environment).unwrap_or(model_registry_jobs::Level::Info));
    let observer = Arc::new(Progress::of_job());
    let inputs = Inputs { environment: environment.clone(), log: log.clone(), observer, stop: Stop::default() };
    let stop = inputs.stop.clone();
    let fetched = run_to_end(&stop, async { storage_initializer::run(source, destination, &inputs).await });
    let reason = match fetched {
        Ok(Ok(_)) => return true,
        Ok(Err(error)) => error.to_string(),
        Err(error) => format!("{error:#}"),
    };
    let message = format!("Error downloading the model: {reason}");
    let file = TerminationFile::of(&environment);
    if let Err(error) = file.write(&message) {
        log.warning(&format!("the termination message cannot be written to {}: {error}", file.path().display()));
    }
    log.error(&message);
    false
}
