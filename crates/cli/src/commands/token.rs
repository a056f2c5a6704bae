//! `token`: static tokens of a server with `--auth-mode token`. The tokens file has their hashes only; a token is shown
//! once, when it is created.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use model_registry_base::files::{self, LARGEST_SETTINGS};
use model_registry_server::auth::{Caller, TokenFile, generate_token, hash_token, token_entry};
use model_registry_server::config::Schema;
use serde_json::json;

use crate::failure::CommandError;
use crate::output::printable;
use crate::print;

/// Maximum length of the name of a user or group, in bytes.
const LONGEST_NAME: usize = 256;
/// Maximum size of a token that is read, in bytes.
const LONGEST_TOKEN: u64 = 8 * 1024;

pub(super) fn command(_schema: &Schema) -> Command {
    let file = |help: &'static str| Arg::new("file").value_name("FILE").help(help).value_parser(value_parser!(PathBuf));
    let output = || {
        let argument =
            Arg::new("output").short('o').long("output").value_name("FORMAT").value_parser(["table", "json"]);
        argument.default_value("table").hide_possible_values(true).help("table or json")
    };
    let create = Command::new("create")
        .about("Generate a token, and add its hash to a tokens file or print its entry")
        .after_help(
            "With --file, the entry is added to the file and the token is printed. Otherwise the entry is printed, and the \
             token on standard error. The token is not stored: it cannot be shown again.\n\n\
             Examples:\n  \
             model-registry token create --user ci --group automation --file tokens.toml\n  \
             model-registry token create --user ada >> tokens.toml",
        )
        .arg(Arg::new("user").long("user").value_name("NAME").required(true).value_parser(name).help("User of the token"))
        .arg(
            Arg::new("group")
                .long("group")
                .value_name("NAME")
                .action(ArgAction::Append)
                .value_parser(name)
                .help("Group of the user; may be repeated"),
        )
        .arg(file("Tokens file, which is created if it does not exist; a running server reads it again").long("file"))
        .arg(output());
    let hash = Command::new("hash")
        .about("Print the hash of the token on standard input, as in the tokens file")
        .after_help("Example:\n  printf %s \"$TOKEN\" | model-registry token hash");
    let check = Command::new("check")
        .about("Validate a tokens file and list its users, or print whose token is on standard input")
        .after_help(
            "Examples:\n  model-registry token check tokens.toml\n  \
             printf %s \"$TOKEN\" | model-registry token check tokens.toml --stdin",
        )
        .arg(file("Tokens file").required(true))
        .arg(
            Arg::new("stdin")
                .long("stdin")
                .action(ArgAction::SetTrue)
                .help("Read a token from standard input and print its user; exit code 3 if the file does not have it"),
        )
        .arg(output());
    Command::new("token")
        .about("Create and check static tokens for a server with --auth-mode token")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Example:\n  model-registry token create --user ci --file tokens.toml")
        .subcommands([create, hash, check])
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    match arguments.subcommand() {
        Some(("create", arguments)) => create(arguments),
        Some(("check", arguments)) => check(arguments),
        _ => Ok(print::text(&(hash_token(&token_of_stdin()?) + "\n"))?),
    }
}

fn is_json(arguments: &ArgMatches) -> bool {
    arguments.get_one::<String>("output").is_some_and(|format| format == "json")
}

fn create(arguments: &ArgMatches) -> anyhow::Result<()> {
    let groups = arguments.get_many::<String>("group").into_iter().flatten().cloned().collect();
    let caller = Caller { user: arguments.get_one::<String>("user").cloned().unwrap_or_default(), groups };
    let token = generate_token()?;
    let hash = hash_token(&token);
    let entry = token_entry(&caller, &hash);
    let file = arguments.get_one::<PathBuf>("file");
    if let Some(file) = file {
        add(file, &entry)?;
    }
    if is_json(arguments) {
        let document = json!({"user": caller.user, "groups": caller.groups, "sha256": hash, "token": token});
        return Ok(print::text(&format!("{document:#}\n"))?);
    }
    if let Some(file) = file {
        print::text(&format!("{token}\n"))?;
        let (user, file) = (printable(&caller.user), file.display());
        eprintln!("note: `{user}` was added to {file}; the token above is not stored and cannot be shown again");
    } else {
        print::text(&entry)?;
        eprintln!("note: the token is not stored and cannot be shown again:\n{token}");
    }
    Ok(())
}

/// Adds an entry to a tokens file. The file is replaced at once, so that a server never reads half of it.
fn add(file: &Path, entry: &str) -> anyhow::Result<()> {
    let (content, permissions) = if file.exists() {
        // A file with a mistake would stay unusable.
        TokenFile::read(file).map_err(|error| CommandError::usage(error.to_string()).hint("nothing was changed"))?;
        let content =
            files::read_text(file, LARGEST_SETTINGS).with_context(|| format!("cannot read {}", file.display()))?;
        (content, Some(std::fs::metadata(file)?.permissions()))
    } else {
        (String::new(), None)
    };
    let separator = match content.as_str() {
        "" => "",
        content if content.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    // If the path is a symbolic link, its target is replaced and not the link.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let new = target.with_extension("toml.new");
    write_privately(&new, &format!("{content}{separator}{entry}"))
        .and_then(|()| permissions.map_or(Ok(()), |permissions| std::fs::set_permissions(&new, permissions)))
        .and_then(|()| std::fs::rename(&new, &target))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Writes a file that only its owner can read.
fn write_privately(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn check(arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some(file) = arguments.get_one::<PathBuf>("file") else { return Ok(()) };
    let tokens = TokenFile::read(file).map_err(|error| CommandError::usage(error.to_string()))?;
    let callers = if arguments.get_flag("stdin") {
        let missing = || CommandError::not_found(format!("{} does not have this token", file.display()));
        vec![tokens.find(&token_of_stdin()?).ok_or_else(missing)?]
    } else {
        tokens.callers()
    };
    if is_json(arguments) {
        let callers: Vec<_> =
            callers.iter().map(|caller| json!({"user": caller.user, "groups": caller.groups})).collect();
        return Ok(print::text(&format!("{:#}\n", json!(callers)))?);
    }
    let lines = callers.iter().map(|caller| match caller.groups.as_slice() {
        [] => format!("{}\n", printable(&caller.user)),
        groups => format!("{} ({})\n", printable(&caller.user), printable(&groups.join(", "))),
    });
    Ok(print::text(&lines.collect::<String>())?)
}

/// The token on standard input, without the blanks around it.
fn token_of_stdin() -> anyhow::Result<String> {
    let mut token = String::new();
    std::io::stdin().lock().take(LONGEST_TOKEN + 1).read_to_string(&mut token).context("cannot read the token")?;
    match token.trim() {
        "" => Err(CommandError::usage("there is no token on standard input").into()),
        _ if token.len() as u64 > LONGEST_TOKEN => Err(CommandError::usage("the token is too long").into()),
        token => Ok(token.to_owned()),
    }
}

fn name(name: &str) -> Result<String, String> {
    if name.trim().is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {LONGEST_NAME} bytes and no control characters"));
    }
    Ok(name.to_owned())
}
