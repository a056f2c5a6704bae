//! Options for fields that refer to other entities, such as `--model` of a service; derived from the declaration of the
//! kind.

use clap::{Arg, ArgMatches, Command};
use model_registry_api::Field;
use serde_json::{Map, Value};

use super::kind_command::KindCommand;
use super::reference::{Target, resolve};
use crate::client_context::ClientContext;

/// The fields of a kind that refer to other entities, with the kinds of those.
fn reference_fields(kind: &KindCommand) -> impl Iterator<Item = (&'static Field, &'static KindCommand)> {
    let spec = kind.kinds[0].spec();
    spec.references
        .iter()
        .filter_map(|reference| Some((spec.field(reference.field)?, KindCommand::of(reference.kind)?)))
}

/// Adds an option for each of these fields that satisfies `filter`.
pub(super) fn add_reference_fields(kind: &KindCommand, command: Command, filter: impl Fn(&Field) -> bool) -> Command {
    let is_creation = command.get_name() == "create";
    reference_fields(kind).filter(|(field, _)| filter(field)).fold(command, |command, (field, target)| {
        command.arg(
            Arg::new(field.name)
                .long(target.singular)
                .value_name(target.placeholder)
                .required(is_creation && field.required)
                .help(format!("The {} of the {}", target.singular, kind.singular))
                .help_heading("Fields"),
        )
    })
}

/// Resolves the references in the arguments and adds their ids to `body`.
pub(super) async fn read_reference_fields(
    kind: &KindCommand,
    context: &ClientContext,
    arguments: &ArgMatches,
    body: &mut Map<String, Value>,
) -> anyhow::Result<()> {
    for (field, target_kind) in reference_fields(kind) {
        let Some(reference) = arguments.try_get_one::<String>(field.name).ok().flatten() else { continue };
        let target = Target { parent: None, reference: reference.clone() };
        body.insert(field.name.to_owned(), resolve(&context.client, target_kind, &target).await?.into());
    }
    Ok(())
}
