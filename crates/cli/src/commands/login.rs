//! `login` and `logout`: store the token of a server in a profile, and remove it.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};
use model_registry_base::files::{self, LARGEST_SETTINGS};
use model_registry_client::catalog::SourceOptions;
use model_registry_client::{Client, ClientBuilder, Error, ListOptions};
use model_registry_server::config::{ConfigError, Environment, Schema};

use crate::client_context::{self, block_on};
use crate::client_settings::Explicit;
use crate::failure::{CommandError, is_local};
use crate::notes::Notes;
use crate::output::printable;
use crate::profiles::{Profile, Profiles, ProfilesEdit};
use crate::{print, prompt};

pub(super) fn command(_schema: &Schema) -> Command {
    let command = Command::new("login")
        .about("Check a token and store it in a profile")
        .long_about(
            "Check a token and store it in a profile of the configuration file, which only its owner can read. The \
             token is read from the terminal without showing it, or from standard input. The server is that of the \
             argument, of MR_SERVER or of the profile.",
        )
        .after_help(
            "Examples:\n  model-registry login https://models.example.com\n  \
             model-registry login https://models.example.com --profile production < token",
        )
        .arg(text("server", "URL of the server").value_name("URL"))
        .arg(
            text("ca-file", "Trusted certificates (PEM), in addition to the system's; stored in the profile")
                .long("ca-file")
                .value_name("FILE"),
        );
    client_context::with_quiet(command.arg(profile("Profile to create or change [default: named after the host]")))
}

pub(super) fn logout_command(_schema: &Schema) -> Command {
    let command = Command::new("logout")
        .about("Remove the token from a profile")
        .long_about("Remove the token from a profile of the configuration file. The server keeps accepting the token until it is revoked there.")
        .after_help("Example:\n  model-registry logout --profile production")
        .arg(profile("Profile whose token to remove [default: the default profile]"));
    client_context::with_quiet(command)
}

fn text(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).help(help).value_parser(NonEmptyStringValueParser::new())
}

fn profile(help: &'static str) -> Arg {
    text("profile", help).long("profile").value_name("NAME")
}

/// The profile and the server to log in to.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    profile: String,
    server: String,
}

/// `server` is that of the argument or variable.
fn target(profiles: &Profiles, named: Option<&str>, server: Option<&str>) -> Result<Target, CommandError> {
    let server_of = |name: &str| profiles.named.get(name).and_then(|profile| profile.server.clone());
    let is_same = |left: &str, right: &str| left.trim_end_matches('/') == right.trim_end_matches('/');
    let Some(server) = server else {
        let name = named.or(profiles.default.as_deref());
        let Some(name) = name.filter(|name| profiles.named.contains_key(*name)) else {
            return Err(CommandError::usage("which server? No URL is given, and there is no such profile")
                .hint("write `model-registry login https://models.example.com`"));
        };
        let server = server_of(name).ok_or_else(|| {
            CommandError::usage(format!("profile `{name}` has no server")).hint("write its URL after `login`")
        })?;
        return Ok(Target { profile: name.to_owned(), server });
    };
    let known = profiles
        .named
        .iter()
        .find(|(_, profile)| profile.server.as_deref().is_some_and(|own| is_same(own, server)))
        .map(|(name, _)| name.clone());
    let profile = named.map(str::to_owned).or(known).unwrap_or_else(|| host(server));
    if let Some(own) = server_of(&profile).filter(|own| !is_same(own, server)) {
        return Err(CommandError::usage(format!("profile `{profile}` is for the server {own}")).hint(format!(
            "choose another --profile, or change the server with `model-registry profiles set {profile} --server {server}`"
        )));
    }
    Ok(Target { profile, server: server.to_owned() })
}

/// The host of a URL, with its port.
fn host(server: &str) -> String {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let (environment, notes) = (Environment::of_process(), Notes::of(arguments));
    let explicit = Explicit { arguments, environment: &environment };
    let profiles = Profiles::load()?;
    let get = |flag: &str, variable: &str| explicit.get(flag, variable).map(|found| found.value);
    let (named, server) = (get("profile", "MR_PROFILE"), get("server", "MR_SERVER"));
    let Target { profile, server } = target(&profiles, named.as_deref(), server.as_deref())?;
    let stored = profiles.named.get(&profile).cloned().unwrap_or_default();
    let ca_file = get("ca-file", "MR_CA_FILE");
    let builder = || builder(&server, ca_file.as_deref(), &stored, notes);
    block_on(requires_token(&builder()?.build()?))?;
    if server.starts_with("http://") && !is_local(&server) {
        notes.print("the URL begins with http: the token is sent without encryption");
    }
    let token = prompt::secret(&format!("Token for {server} (not shown):"))?;
    if token.is_empty() {
        return Err(CommandError::usage("no token was entered: nothing was stored").into());
    }
    if !block_on(check(&builder()?.token(token.as_str()).build()?))? {
        notes.print("the token is valid, but its user may not read: ask an administrator for a role");
    }
    let mut edit = ProfilesEdit::of(&profiles)?;
    edit.set(&profile, "server", &server)?;
    edit.set(&profile, "token", &token)?;
    edit.unset(&profile, "token-file")?;
    if let Some(file) = &ca_file {
        edit.set(&profile, "ca-file", &absolute(file)?)?;
    }
    let is_first = profiles.default.is_none();
    if is_first {
        edit.set_default(Some(&profile));
    }
    let path = edit.save()?;
    print::line(&format!("Logged in to {server}: the token is in profile {profile} of {}", path.display()))?;
    if !is_first && profiles.default.as_deref() != Some(profile.as_str()) {
        notes.print(&format!(
            "use it with `--profile {profile}`, or by default after `model-registry profiles use {profile}`"
        ));
    }
    for variable in ["MR_TOKEN", "MR_TOKEN_FILE"] {
        if environment.get(variable).is_some() {
            notes.print(&format!("{variable} is set and takes precedence over the profile"));
        }
    }
    Ok(())
}

/// An absolute path, since commands run in any directory.
pub(super) fn absolute(path: &str) -> anyhow::Result<String> {
    Ok(std::path::absolute(path)?.display().to_string())
}

fn builder(server: &str, ca_file: Option<&str>, stored: &Profile, notes: Notes) -> anyhow::Result<ClientBuilder> {
    let mut builder = Client::builder(server).on_notice(move |notice| notes.notice(notice));
    let ca_file = ca_file.map(std::path::PathBuf::from).or_else(|| stored.ca_file.clone());
    if let Some(file) = ca_file {
        let pem = files::read(&file, LARGEST_SETTINGS).map_err(|error| ConfigError {
            place: "ca-file".to_owned(),
            reason: format!("cannot read `{}`: {error}", file.display()),
        })?;
        builder = builder.root_certificates(pem);
    }
    Ok(builder)
}

/// Fails unless the server requires a token: otherwise it would accept any.
async fn requires_token(client: &Client) -> anyhow::Result<()> {
    match read(client).await {
        Err(Error::Unauthorized(_)) => Ok(()),
        Ok(()) | Err(Error::Forbidden(_)) => {
            Err(CommandError::failed("the server accepts requests without a token: there is nothing to log in to")
                .hint("`model-registry profiles set NAME --server URL` stores the address of a server")
                .into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the user of the token may read. Error: the server refuses the token.
async fn check(client: &Client) -> anyhow::Result<bool> {
    match read(client).await {
        Ok(()) => Ok(true),
        Err(Error::Forbidden(_)) => Ok(false),
        Err(Error::TokenRefused(_)) => {
            Err(CommandError::not_permitted("the server refused the token: nothing was stored")
                .hint("check that the token is complete, has not expired, and is for this server")
                .into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The smallest read of a registry, or of a server with only a catalog.
async fn read(client: &Client) -> Result<(), Error> {
    let options = ListOptions { page_size: Some(1), ..ListOptions::default() };
    match client.registered_models().page(&options, "").await {
        Err(Error::NotFound(_)) => {
            let options = SourceOptions { page_size: Some(1), ..SourceOptions::default() };
            client.catalog().sources().page(&options, "").await.map(|_| ())
        }
        found => found.map(|_| ()),
    }
}

pub(super) fn run_logout(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let (environment, notes) = (Environment::of_process(), Notes::of(arguments));
    let profiles = Profiles::load()?;
    let named = Explicit { arguments, environment: &environment }.get("profile", "MR_PROFILE");
    let selected = profiles.select(named.as_ref().map(|name| (name.value.as_str(), name.origin.as_str())))?;
    let Some((name, profile)) = selected else {
        return Err(CommandError::usage("which profile? There is no default profile")
            .hint("`model-registry profiles list` lists the profiles")
            .into());
    };
    if profile.token.is_none() {
        let error = CommandError::not_found(format!("profile `{}` has no token", printable(name)));
        return Err(match &profile.token_file {
            Some(file) => error.hint(format!(
                "its token is in the file {}: `model-registry profiles set {name} --unset token-file` forgets the file",
                file.display()
            )),
            None => error,
        }
        .into());
    }
    let mut edit = ProfilesEdit::of(&profiles)?;
    edit.unset(name, "token")?;
    let path = edit.save()?;
    print::line(&format!("Logged out: the token of profile {name} was removed from {}", path.display()))?;
    notes.print("the server accepts the token until it expires or is revoked there");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles() -> Profiles {
        let mut profiles = Profiles { default: Some("laptop".to_owned()), ..Profiles::default() };
        for (name, server) in [("laptop", Some("http://127.0.0.1:8080")), ("empty", None)] {
            let server = server.map(str::to_owned);
            profiles.named.insert(name.to_owned(), Profile { server, ..Profile::default() });
        }
        profiles
    }

    #[test]
    fn a_login_finds_its_profile_and_server() {
        let found = |named: Option<&str>, server: Option<&str>| {
            target(&profiles(), named, server).map(|target| (target.profile, target.server))
        };
        let expected = |profile: &str, server: &str| Some((profile.to_owned(), server.to_owned()));
        assert_eq!(found(None, None).ok(), expected("laptop", "http://127.0.0.1:8080"));
        assert_eq!(found(None, Some("http://127.0.0.1:8080/")).ok(), expected("laptop", "http://127.0.0.1:8080/"));
        assert_eq!(found(None, Some("https://a.example/x")).ok(), expected("a.example", "https://a.example/x"));
        assert_eq!(found(Some("new"), Some("http://b")).ok(), expected("new", "http://b"));
        assert_eq!(found(Some("empty"), Some("http://b")).ok(), expected("empty", "http://b"));
        for (named, server, reason) in [
            (Some("laptop"), Some("http://b"), "is for the server"),
            (Some("empty"), None, "has no server"),
            (Some("none"), None, "which server?"),
        ] {
            let error = found(named, server).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
