//! The options for images in OCI registries.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use model_registry_transfer::{ImageFormat, ImageReference, ImageSettings, PlainHttp, Platform};

const HEADING: &str = "Images";
const FORMATS: [(&str, ImageFormat); 2] = [("modelcar", ImageFormat::ModelCar), ("modelpack", ImageFormat::ModelPack)];

pub(crate) fn with_image_options(command: Command) -> Command {
    let option = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).help(help).help_heading(HEADING)
    };
    let image = |text: &str| text.parse::<ImageReference>().map_err(|error| error.to_string());
    let platform = |text: &str| Platform::parse(text).map_err(|error| error.to_string());
    command
        .arg(
            option(
                "oci-base-image",
                "IMAGE",
                "Add the files to this image, on all its platforms, such as busybox:1.37",
            )
            .value_parser(image),
        )
        .arg(
            option("oci-format", "FORMAT", "Write the files below /models, or an artifact [default: modelcar]")
                .value_parser(PossibleValuesParser::new(FORMATS.map(|(name, _)| name))),
        )
        .arg(
            option("oci-platform", "PLATFORM", "Read the image of this platform [default: linux, this processor]")
                .value_parser(platform),
        )
        .arg(
            option("oci-auth-file", "FILE", "Docker configuration with credentials [default: as docker and podman]")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(option("oci-ca-file", "FILE", "Trust these certificates (PEM), too").value_parser(value_parser!(PathBuf)))
        .arg(
            option("oci-plain-http", "HOST[:PORT]", "Use this registry without TLS; may be repeated")
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("oci-insecure")
                .long("oci-insecure")
                .action(ArgAction::SetTrue)
                .help("Do not verify the certificates of registries")
                .help_heading(HEADING),
        )
}

pub(crate) fn image_settings(arguments: &ArgMatches) -> ImageSettings {
    let plain: Vec<String> = arguments.get_many("oci-plain-http").into_iter().flatten().cloned().collect();
    let format = arguments.get_one::<String>("oci-format");
    let format = FORMATS.iter().find(|(name, _)| format.is_some_and(|chosen| chosen == name));
    ImageSettings {
        base: arguments.get_one("oci-base-image").cloned(),
        format: format.map(|(_, format)| *format).unwrap_or_default(),
        platform: arguments.get_one("oci-platform").cloned(),
        auth_file: arguments.get_one("oci-auth-file").cloned(),
        certificate_file: arguments.get_one("oci-ca-file").cloned(),
        is_unverified: arguments.get_flag("oci-insecure"),
        plain_http: if plain.is_empty() { PlainHttp::None } else { PlainHttp::Registries(plain) },
    }
}
