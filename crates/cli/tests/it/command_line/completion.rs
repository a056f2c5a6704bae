//! Completion in real shells, and of names from a server.

use std::path::Path;
use std::process::{Command, Stdio};

use model_registry_testkit::find_program;

use crate::command_line::support::{Registry, command, shown};
use crate::command_line::terminal::Terminal;
use crate::support::{PROGRAM, print_skipped};

/// A server with entities of several kinds.
async fn registry() -> Registry {
    let registry = Registry::with_catalog().await;
    registry.transcript(
        r"
        model-registry register fraud-detector v1 --uri s3://models/fraud
        model-registry register fraud-detector v2 --uri s3://models/fraud --output name
        model-registry register 'org/my model' v1 --uri s3://models/org
        model-registry models create freight
        model-registry experiments create tuning
        model-registry runs create tuning/first
        model-registry metrics log tuning/first loss 0.5
        ",
    );
    registry
}

/// Prepares a shell that has the program in its path, and the script of `completion` in a file.
fn shell(registry: &Registry, program: &Path, name: &str) -> Command {
    let script = command(registry.home.path()).args(["completion", name]).output().unwrap();
    std::fs::write(registry.home.path().join("script"), &script.stdout).unwrap();
    let directory = Path::new(PROGRAM).parent().unwrap();
    let path = std::env::join_paths([directory, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut shell = Command::new(program);
    shell.env_clear().env("HOME", registry.home.path()).env("PATH", path).env("MR_SERVER", registry.server.base_url());
    shell.current_dir(registry.home.path()).env("TERM", "dumb").stdin(Stdio::null());
    shell
}

/// The candidates for a line in bash, as the function of the script returns them.
fn in_bash(registry: &Registry, program: &Path, line: &str) -> Vec<String> {
    let complete = r#"
        source ./script
        COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9 COMP_KEY=9
        set -- $(complete -p model-registry)
        "${@: -2:1}" model-registry
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut shell = shell(registry, program, "bash");
    lines(shell.args(["--norc", "-c", complete]).env("LINE", line))
}

/// The words of a line after the Tab key in an interactive bash: it runs `printf` on them.
fn typed_in_bash(registry: &Registry, program: &Path, line: &str) -> Vec<String> {
    let mut shell = shell(registry, program, "bash");
    let mut terminal = Terminal::run(shell.args(["--norc", "--noprofile", "-i"]));
    terminal.type_line("PS1=; bind 'set bell-style none'; source ./script; echo re''ady");
    terminal.wait_for("ready\r\n");
    terminal.type_line(&format!("{line}\t\u{1}printf '<%s>' \u{5}; echo e''nd; exit"));
    terminal.wait_for("end\r\n");
    let (_, seen) = terminal.end();
    let printed = seen.rsplit_once("end\n").unwrap().0.rsplit('\n').next().unwrap().to_owned();
    printed.split(['<', '>']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The candidates for a line in fish, as the Tab key shows them.
fn in_fish(registry: &Registry, program: &Path, line: &str) -> Vec<String> {
    let complete = "source ./script; complete --do-complete=$LINE";
    let mut shell = shell(registry, program, "fish");
    let shown = lines(shell.args(["--no-config", "-c", complete]).env("LINE", line));
    shown.iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

/// The line in zsh after the Tab key: an interactive shell on a pseudo-terminal of its own.
fn in_zsh(registry: &Registry, program: &Path, line: &str) -> String {
    let complete = r#"
        zmodload zsh/zpty
        zpty shell "zsh -f -i"
        zpty -w shell "PS1= PROMPT_EOL_MARK= ; autoload -Uz compinit; compinit -u -D; source ./script; echo re''ady"
        zpty -r shell line '*ready*'
        zpty -w shell 'report() { zle -R; print -r -- "<"\<"$BUFFER>"\>; }; zle -N report; bindkey "^Xr" report; echo bo''und'
        zpty -r shell line '*bound*'
        zpty -n -w shell "$LINE"$'\t\030r'
        zpty -r shell line '*<<*>>*'
        print -r -- "${${line##*<<}%%>>*}"
        zpty -d shell
    "#;
    let mut shell = shell(registry, program, "zsh");
    lines(shell.args(["-f", "-c", complete]).env("LINE", line)).pop().unwrap_or_default()
}

fn lines(shell: &mut Command) -> Vec<String> {
    let output = shell.output().unwrap();
    let text = shown(&output);
    assert!(output.status.success() && output.stderr.is_empty(), "{text}");
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The program of a shell; prints that the test is skipped if it is not installed.
fn program(name: &str) -> Option<std::path::PathBuf> {
    let found = find_program(name, &[]);
    if found.is_none() {
        print_skipped(&format!(
            "completion in {name} is not tested: {name} is not installed; `cargo xtask test --install` installs it"
        ));
    }
    found
}

#[tokio::test]
async fn bash_completes_every_word() {
    let Some(bash) = program("bash") else { return };
    let registry = registry().await;
    for (line, expected) in [
        ("model-registry mod", &["models"][..]),
        ("model-registry models ar", &["archive"]),
        ("model-registry models list --ord", &["--order-by"]),
        ("model-registry models list --output js", &["json"]),
        ("model-registry models list --output=js", &["json"]),
        ("model-registry models get fr", &["freight", "fraud-detector"]),
        ("model-registry models get org", &[r"org/my\ model"]),
        ("model-registry models get \"org", &["org/my model"]),
        ("model-registry versions get fraud-detector/", &["fraud-detector/v2", "fraud-detector/v1"]),
        ("model-registry versions get --model fraud-detector v", &["v2", "v1"]),
        ("model-registry versions create frau", &["fraud-detector/"]),
        ("model-registry runs get tuning/", &["tuning/first"]),
        ("model-registry metrics plot tuning/first l", &["loss"]),
        ("model-registry open versions fraud-detector/v1", &["fraud-detector/v1"]),
        (
            "model-registry catalog show sample_models/northwind/breeze-8",
            &["sample_models/northwind/breeze-8b-instruct", "sample_models/northwind/breeze-8b-instruct-int8"],
        ),
        ("model-registry catalog agent sample_agents/led", &["sample_agents/ledger-clerk"]),
        ("model-registry catalog agent led", &["ledger-clerk"]),
        ("model-registry catalog skills show sample_skills/summ", &["sample_skills/summarize-model-card@2.0.0"]),
        ("model-registry catalog skills show summ", &["summarize-model-card"]),
        ("model-registry models get fr --server http://127.0.0.1:9 --col", &["--columns"]),
    ] {
        assert_eq!(in_bash(&registry, &bash, line), expected, "{line}");
    }
}

#[tokio::test]
async fn the_tab_key_completes_in_an_interactive_bash() {
    let Some(bash) = program("bash") else { return };
    let registry = registry().await;
    for (line, expected) in [
        ("model-registry mod", &["model-registry", "models"][..]),
        ("model-registry models arch", &["model-registry", "models", "archive"]),
        ("model-registry models list --output=js", &["model-registry", "models", "list", "--output=json"]),
        ("model-registry models get org", &["model-registry", "models", "get", "org/my model"]),
        ("model-registry models get \"org", &["model-registry", "models", "get", "org/my model"]),
        ("model-registry versions get fraud-detector/v", &["model-registry", "versions", "get", "fraud-detector/v"]),
        ("model-registry runs get tu", &["model-registry", "runs", "get", "tuning/"]),
    ] {
        assert_eq!(typed_in_bash(&registry, &bash, line), expected, "{line}");
    }
}

#[tokio::test]
async fn fish_completes_every_word() {
    let Some(fish) = program("fish") else { return };
    let registry = registry().await;
    for (line, expected) in [
        ("model-registry mod", &["models"][..]),
        ("model-registry models ar", &["archive"]),
        ("model-registry models list --output js", &["json"]),
        ("model-registry models get fr", &["freight", "fraud-detector"]),
        ("model-registry versions get fraud-detector/", &["fraud-detector/v2", "fraud-detector/v1"]),
    ] {
        assert_eq!(in_fish(&registry, &fish, line), expected, "{line}");
    }
}

#[tokio::test]
async fn zsh_completes_every_word() {
    let Some(zsh) = program("zsh") else { return };
    let registry = registry().await;
    for (line, expected) in [
        ("model-registry mod", "model-registry models "),
        ("model-registry models ar", "model-registry models archive "),
        ("model-registry models list --output js", "model-registry models list --output json "),
        ("model-registry models get frei", "model-registry models get freight "),
        ("model-registry models get org", "model-registry models get org/my\\ model "),
        ("model-registry versions create frau", "model-registry versions create fraud-detector/"),
    ] {
        assert_eq!(in_zsh(&registry, &zsh, line), expected, "{line}");
    }
}

#[tokio::test]
async fn completion_fails_silently() {
    let home = tempfile::tempdir().unwrap();
    let complete = |words: &[&str]| {
        let mut complete = command(home.path());
        complete.args(["__complete", "zsh", "--", "model-registry"]).args(words);
        shown(&complete.env("MR_SERVER", "http://127.0.0.1:9").output().unwrap())
    };
    // The server is unreachable, the profile does not exist, the address is wrong.
    for words in [
        &["models", "get", ""][..],
        &["--profile", "none", "models", "get", ""],
        &["models", "--profile", "none", "get", ""],
        &["models", "--server", "x", "get", ""],
        &["versions", "get", "a/b"],
        &["unknown", "x", ""],
        &[],
    ] {
        assert!(complete(words).starts_with("values\n"), "{words:?}: {}", complete(words));
    }
}
