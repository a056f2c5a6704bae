//! `upload-job`: moves the files of a model and registers them, configured by the variables of a Kubernetes job.

use std::fmt::Display;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command};
use model_registry_jobs::upload_job::{
    self, FAILED, Mistakes, OPTIONS, Outcome, SYNTAX, Settings, Values, failure_message,
};
use model_registry_jobs::{Inputs, Level, Log, TerminationFile};
use model_registry_server::config::{Environment, Schema};
use model_registry_transfer::Stop;

use crate::failure::CommandError;
use crate::jobs::{jobs_log, run_to_end};
use crate::transfer::Progress;

pub(crate) const NAME: &str = "upload-job";
/// The name of the executable that means this subcommand: jobs start the entrypoint of their image without arguments.
pub(crate) const PROGRAM: &str = "mr-upload-job";

pub(super) fn command(_schema: &Schema) -> Command {
    let argument = |option: &'static upload_job::JobOption| {
        let default = option.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
        Arg::new(option.name)
            .long(option.name)
            .value_name(value_name(option.name))
            .help(format!("{}{default} [env: {}]", option.help, option.variable()))
            .help_heading(option.group)
    };
    Command::new(NAME)
        .about("Copy the files of a model to an image or bucket and register them, as a Kubernetes job")
        .long_about(
            "Copy the files of a model to an image in an OCI registry or to a bucket, and then update an artifact, or create a model \
             or a version. It takes the place of the async upload job of the Kubeflow Model Registry: options, variables, files and \
             the termination message are the same.\n\nFiles with credentials win over arguments, arguments over variables. All \
             mistakes in the configuration are reported before anything is changed.",
        )
        .after_help(
            "Example:\n  MODEL_SYNC_REGISTRY_USER_TOKEN=… model-registry upload-job --source-type uri --source-uri hf://org/model \\\n    \
             --destination-oci-uri quay.io/org/model:1 --destination-oci-registry quay.io \\\n    \
             --model-artifact-id 6 --registry-server-address https://registry.example.com\n\nExit codes: 0 success, 1 failure, 2 a value \
             cannot be read.\nLOGLEVEL sets the level of the log, TERMINATION_MESSAGE_PATH the file of the result.",
        )
        .infer_long_args(true)
        .args(OPTIONS.iter().map(argument))
}

fn value_name(option: &str) -> &'static str {
    match option {
        _ if option.ends_with("-path") || option.ends_with("-custom-ca") => "FILE",
        _ if option.ends_with("-verify") || matches!(option, "sign" | "registry-is-secure" | "record-digest") => {
            "BOOLEAN"
        }
        _ if option.ends_with("-port") => "PORT",
        _ => "VALUE",
    }
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let environment = Environment::of_process();
    let job = Job { file: TerminationFile::of(&environment), environment };
    let argument = |name: &'static str| arguments.get_one::<String>(name).map(String::as_str);
    let values = Values::collect(argument, &job.environment);
    job.run(values).map_err(|code| CommandError::reported(code).into())
}

/// Records that the arguments cannot be read, which clap reports itself.
pub(crate) fn note_wrong_arguments(message: &str) {
    let file = TerminationFile::of(&Environment::of_process());
    let _ = file.write(&failure_message(&message.trim()));
}

struct Job {
    file: TerminationFile,
    environment: Environment,
}

impl Job {
    /// Runs to the end; the error is the exit code of a failure that was reported.
    fn run(&self, values: Values) -> Result<(), u8> {
        let level = jobs_log(&self.environment);
        let log = Log::new(NAME, *level.as_ref().unwrap_or(&Level::Info));
        let settings = Settings::read(values, &self.environment);
        let mut mistakes = settings.as_ref().err().cloned().unwrap_or_default();
        if let Err(reason) = level {
            mistakes.note("LOGLEVEL", &reason);
        }
        if let Err(reason) = self.file.check() {
            mistakes.note("TERMINATION_MESSAGE_PATH", &reason);
        }
        let settings = match settings {
            Ok(settings) if mistakes.is_empty() => settings,
            _ => return Err(self.fail(&log, &mistakes, code_of(&mistakes))),
        };
        log.info("Starting async upload job...");
        log.info("Configuration loaded successfully");
        let inputs = Inputs {
            environment: self.environment.clone(),
            log: log.clone(),
            observer: Arc::new(Progress::of_job()),
            stop: Stop::default(),
        };
        let stop = inputs.stop.clone();
        match run_to_end(&stop, async { upload_job::run(&settings, &inputs).await }) {
            Ok(Ok(outcome)) => self.succeed(&log, &outcome),
            Ok(Err(error)) => Err(self.fail(&log, &error, FAILED)),
            Err(error) => Err(self.fail(&log, &format!("{error:#}"), FAILED)),
        }
    }

    fn succeed(&self, log: &Log, outcome: &Outcome) -> Result<(), u8> {
        let message = outcome.message();
        if let Err(error) = self.file.write(&message) {
            // The registry is complete: another run finds that.
            log.error(&format!(
                "the result cannot be written to {}: {error}; it is {message}",
                self.file.path().display()
            ));
            return Err(FAILED);
        }
        log.info(&format!("Success result written to termination message path: {message}"));
        log.info("Job completed successfully");
        Ok(())
    }

    fn fail(&self, log: &Log, error: &dyn Display, code: u8) -> u8 {
        let message = failure_message(error);
        for line in message.lines() {
            log.error(line);
        }
        if let Err(error) = self.file.write(&message) {
            log.error(&format!("the termination message cannot be written to {}: {error}", self.file.path().display()));
        }
        code
    }
}

/// A value that cannot be read is a mistake of the arguments, everything else of the configuration.
fn code_of(mistakes: &Mistakes) -> u8 {
    if mistakes.0.iter().any(|mistake| mistake.is_syntax) { SYNTAX } else { FAILED }
}
