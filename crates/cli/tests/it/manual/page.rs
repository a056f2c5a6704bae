//! The fenced blocks of a Markdown page.

/// How a block is run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run {
    Commands,
    Serves,
    Endless,
    Python,
    /// Commands that use stores.
    WithStores,
    /// Commands that need the Python environment.
    WithPython,
    /// Commands that are not run, with the reason.
    No(String),
    File(String),
    /// Not run here: output, JSON, or a block that another test runs (Rust, `with-output`).
    Nothing,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) line: usize,
    pub(super) run: Run,
    /// The commands, without prompts and output.
    pub(super) text: String,
}

impl Block {
    pub(super) fn skipped(&self, page: &str) -> Option<String> {
        let Run::No(reason) = &self.run else { return None };
        Some(format!("  {page}:{}: {reason}", self.line))
    }
}

pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let inside: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let (language, what) = info.split_once(' ').unwrap_or((info, ""));
        let text = if language == "console" { commands(&inside) } else { inside.join("\n") + "\n" };
        blocks.push(Block { line: number + 1, run: run(language, what), text });
    }
    blocks
}

fn run(language: &str, what: &str) -> Run {
    let is_shell = matches!(language, "bash" | "sh" | "console");
    match what.split_once(' ').unwrap_or((what, "")) {
        ("no-run", reason) if reason.len() > 10 => Run::No(reason.to_owned()),
        ("serves", "") if is_shell => Run::Serves,
        ("endless", "") if is_shell => Run::Endless,
        ("stores", "") if is_shell => Run::WithStores,
        ("python", "") if is_shell => Run::WithPython,
        ("with-output", "") if language == "console" => Run::Nothing,
        ("", "") if is_shell => Run::Commands,
        ("", "") if language == "python" => Run::Python,
        (name, "") if matches!(language, "toml" | "yaml") && !name.is_empty() => Run::File(name.to_owned()),
        ("", "") => Run::Nothing,
        _ => panic!("`{language} {what}` is not a known fence"),
    }
}

/// The lines after a prompt, with their continuation lines.
fn commands(lines: &[&str]) -> String {
    let (mut text, mut continues) = (String::new(), false);
    for line in lines {
        let command = if continues { Some(*line) } else { line.strip_prefix("$ ") };
        continues = command.is_some_and(|command| command.ends_with('\\'));
        if let Some(command) = command {
            text.push_str(command);
            text.push('\n');
        }
    }
    text
}

#[test]
fn fenced_blocks_are_parsed_by_language_and_attribute() {
    let page = "text\n```console\n$ a \\\n  b\noutput\n$ c\n```\n```bash no-run it formats the disk\nx\n```\n\
                ```toml p.toml\na = 1\n```\n```sh serves\ns\n```\n```json\n{}\n```\n";
    let blocks = blocks(page);
    let found: Vec<_> = blocks.iter().map(|block| (block.line, &block.run, block.text.as_str())).collect();
    let no = Run::No("it formats the disk".to_owned());
    assert_eq!(
        found,
        [
            (2, &Run::Commands, "a \\\n  b\nc\n"),
            (8, &no, "x\n"),
            (11, &Run::File("p.toml".to_owned()), "a = 1\n"),
            (14, &Run::Serves, "s\n"),
            (17, &Run::Nothing, "{}\n"),
        ]
    );
}
