//! Output on a terminal: confirmation, colours, progress and truncation.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use model_registry_testkit::{Backend, TestDatabase};

use crate::command_line::support::{Registry, command, shown};
use crate::support::{Client, add_models, start_on};

/// A command with a pseudo-terminal as input and output.
pub(super) struct Terminal {
    keyboard_and_screen: File,
    child: Child,
    seen: String,
}

impl Terminal {
    pub(super) fn run(command: &mut Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let end = || Stdio::from(terminal.try_clone().unwrap());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // Replaced, so that the next run of the command does not inherit them.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { keyboard_and_screen: File::from(master), child, seen: String::new() }
    }

    pub(super) fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read() > 0, "no `{text}` in `{}`", self.seen);
        }
    }

    /// Returns 0 when the command has ended.
    fn read(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let length = self.keyboard_and_screen.read(&mut buffer).unwrap_or_default();
        self.seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
        length
    }

    pub(super) fn type_line(&mut self, text: &str) {
        writeln!(self.keyboard_and_screen, "{text}").unwrap();
    }

    /// The exit code, and the whole output.
    pub(super) fn end(mut self) -> (i32, String) {
        while self.read() > 0 {}
        (self.child.wait().unwrap().code().unwrap(), self.seen.replace("\r\n", "\n"))
    }
}

#[tokio::test]
async fn archiving_requires_confirmation() {
    let registry = Registry::start().await;
    registry.transcript("model-registry models create m");
    let archive = |answer: &str| {
        let mut terminal = Terminal::run(registry.command().args(["models", "archive", "m"]).env("NO_COLOR", "1"));
        terminal.wait_for("[y/N] ");
        terminal.type_line(answer);
        terminal.end()
    };
    let (code, seen) = archive("");
    assert_eq!((code, seen.as_str()), (1, "Archive model m? [y/N] \nerror: nothing was changed\n"));
    assert_eq!(archive("what").0, 1);
    let state = || registry.transcript("model-registry models get m --columns state");
    assert!(state().contains("LIVE"));
    let (code, seen) = archive("y");
    assert_eq!((code, seen.as_str()), (0, "Archive model m? [y/N] y\nArchived model m (id 1)\n"));
    assert!(state().contains("ARCHIVED"));
}

#[tokio::test]
async fn only_terminals_with_colour_support_get_colours() {
    let registry = Registry::start().await;
    registry.transcript("model-registry models create m");
    let seen = |arguments: &[&str], variable: (&str, &str)| {
        Terminal::run(registry.command().args(arguments).env(variable.0, variable.1)).end().1
    };
    let list = ["models", "list", "--columns", "id,name"];
    assert_eq!(seen(&list, ("TERM", "xterm")), "\u{1b}[1mID\u{1b}[0m  \u{1b}[1mNAME\u{1b}[0m\n1   m\n");
    assert_eq!(seen(&list, ("NO_COLOR", "1")), "ID  NAME\n1   m\n");
    assert_eq!(seen(&list, ("TERM", "dumb")), "ID  NAME\n1   m\n");
    let error = seen(&["models", "get", "nothing"], ("TERM", "xterm"));
    assert!(error.starts_with("\u{1b}[1;31merror:\u{1b}[0m no model named `nothing`\n"), "{error:?}");
}

#[tokio::test]
async fn export_and_import_show_progress_only_on_a_terminal() {
    let home = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    add_models(&database, &Client::of(&server)).await;
    let (from, into) = (database.url().to_owned(), "sqlite:copy.db".to_owned());
    let (export, import) = (["export", "all.jsonl", "--database", &from], ["import", "all.jsonl", "--database", &into]);
    let on_terminal = |arguments: &[&str]| Terminal::run(command(home.path()).args(arguments)).end();
    let (code, seen) = on_terminal(&export);
    assert!(code == 0 && seen.contains("\r\u{1b}[Kexporting: 5000 lines"), "{seen:?}");
    // The progress line is replaced by the result.
    assert!(seen.contains("\r\u{1b}[Kexported 6001 registered_model to all.jsonl"), "{seen:?}");
    let (code, seen) = on_terminal(&import);
    assert!(code == 0 && seen.contains("\r\u{1b}[Kchecking the file: 5000 lines"), "{seen:?}");
    assert!(seen.contains("\r\u{1b}[Kimported 6001 registered_model;"), "{seen:?}");

    let piped = command(home.path()).args([&export[..], &["--force"]].concat()).output().unwrap();
    let output = shown(&piped);
    assert!(
        output.starts_with("exported 6001 registered_model to all.jsonl (sha256 ") && !output.contains('\r'),
        "{output}"
    );
}

#[tokio::test]
async fn long_strings_are_truncated_only_on_a_terminal() {
    let registry = Registry::start().await;
    let long = "x".repeat(100);
    registry.transcript(&format!("model-registry models create m --description {long}"));
    let mut list = registry.command();
    list.args(["models", "list", "--columns", "description"]).env("NO_COLOR", "1");
    let (_, seen) = Terminal::run(&mut list).end();
    assert_eq!(seen, format!("DESCRIPTION\n{}…\n", "x".repeat(59)));
    let piped = String::from_utf8(list.stdout(Stdio::piped()).output().unwrap().stdout).unwrap();
    assert!(piped.contains(&long));
}
