//! What differs on a terminal: questions and colours.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use model_registry_testkit::{Backend, TestDatabase};

use crate::command_line::support::{Registry, command, shown};
use crate::support::{Client, add_models, start_on};

/// A command whose input and output is a terminal of our own.
struct Terminal {
    keyboard_and_screen: File,
    child: Child,
    seen: String,
}

impl Terminal {
    fn run(command: &mut Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let end = || Stdio::from(terminal.try_clone().unwrap());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The command keeps its ends: the next one must not inherit them.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { keyboard_and_screen: File::from(master), child, seen: String::new() }
    }

    fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read() > 0, "no `{text}` in `{}`", self.seen);
        }
    }

    /// Nothing more comes once the command has ended.
    fn read(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let length = self.keyboard_and_screen.read(&mut buffer).unwrap_or_default();
        self.seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
        length
    }

    fn type_line(&mut self, text: &str) {
        writeln!(self.keyboard_and_screen, "{text}").unwrap();
    }

    /// The exit code, and all that was on the screen.
    fn end(mut self) -> (i32, String) {
        while self.read() > 0 {}
        (self.child.wait().unwrap().code().unwrap(), self.seen.replace("\r\n", "\n"))
    }
}

#[tokio::test]
async fn archiving_asks_first() {
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
async fn colours_are_for_terminals_that_want_them() {
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
    assert!(error.starts_with("\u{1b}[1;31merror:\u{1b}[0m there is no model named `nothing`\n"), "{error:?}");
}

#[tokio::test]
async fn an_export_and_an_import_show_how_far_they_are_on_a_terminal_alone() {
    let home = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    add_models(&database, &Client::of(&server)).await;
    let (from, into) = (database.url().to_owned(), "sqlite:copy.db".to_owned());
    let (export, import) = (["export", "all.jsonl", "--database", &from], ["import", "all.jsonl", "--database", &into]);
    let on_terminal = |arguments: &[&str]| Terminal::run(command(home.path()).args(arguments)).end();
    let (code, seen) = on_terminal(&export);
    assert!(code == 0 && seen.contains("\r\u{1b}[Kexporting: 5000 lines"), "{seen:?}");
    // The line goes when it is done.
    assert!(seen.contains("\r\u{1b}[Kexported 6001 registered_model to all.jsonl"), "{seen:?}");
    let (code, seen) = on_terminal(&import);
    assert!(code == 0 && seen.contains("\r\u{1b}[Kchecking the file: 5000 lines"), "{seen:?}");
    assert!(seen.contains("\r\u{1b}[Kimported 6001 registered_model;"), "{seen:?}");

    let piped = command(home.path()).args([&export[..], &["--force"]].concat()).output().unwrap();
    let said = shown(&piped);
    assert!(said.starts_with("exported 6001 registered_model to all.jsonl (sha256 ") && !said.contains('\r'), "{said}");
}

#[tokio::test]
async fn long_texts_are_cut_on_a_terminal_alone() {
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
