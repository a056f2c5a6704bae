//! Finds what may come at the cursor: subcommands, options, or the values of an argument.

use clap::{Arg, Command};

/// The place of the word to complete.
pub(super) struct Position<'a> {
    /// The names of the subcommands before it.
    pub(super) path: Vec<&'a str>,
    pub(super) command: &'a Command,
    /// The options before it by their ids, with their values.
    pub(super) options: Vec<(&'a str, String)>,
    /// The positional arguments before it, of the last subcommand.
    pub(super) arguments: Vec<String>,
    pub(super) expected: Expected<'a>,
}

pub(super) enum Expected<'a> {
    /// The name of an option.
    Option,
    /// A value of an argument. The word begins with `before`, such as `--output=` or the previous values of a list, which
    /// candidates repeat; `text` follows.
    Value { argument: &'a Arg, before: String, text: String },
    /// A subcommand, or if the command has one, a positional argument.
    Word { argument: Option<&'a Arg> },
}

impl<'a> Position<'a> {
    /// The position of the last word, in a command that is built.
    pub(super) fn find(root: &'a Command, words: &[String]) -> Self {
        let (current, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let mut position = Self {
            path: Vec::new(),
            command: root,
            options: Vec::new(),
            arguments: Vec::new(),
            expected: Expected::Option,
        };
        // An option whose value is the next word.
        let mut pending: Option<&Arg> = None;
        let mut has_ended = false;
        for word in before.iter().skip(1) {
            if let Some(argument) = pending.take() {
                position.options.push((argument.get_id().as_str(), word.clone()));
            } else if word == "--" && !has_ended {
                has_ended = true;
            } else if let (Some((argument, value)), false) = (position.option(word), has_ended) {
                match value {
                    None if argument.get_action().takes_values() => pending = Some(argument),
                    value => position.options.push((argument.get_id().as_str(), value.unwrap_or_default())),
                }
            } else if word.starts_with('-') && word.len() > 1 && !has_ended {
                // An unknown option.
            } else {
                position.word(word);
            }
        }
        position.expected = match pending {
            Some(argument) => value(argument, String::new(), current),
            None if has_ended => position.positional(current),
            None => position.expect(current),
        };
        position
    }

    /// The option that a word names, with the value in the same word.
    fn option(&self, word: &str) -> Option<(&'a Arg, Option<String>)> {
        let arguments = self.command.get_arguments();
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            return arguments
                .into_iter()
                .find(|argument| argument.get_long() == Some(name))
                .map(|found| (found, value));
        }
        let mut short = word.strip_prefix('-')?.chars();
        let name = short.next()?;
        let found = arguments.into_iter().find(|argument| argument.get_short() == Some(name))?;
        let value = short.as_str();
        Some((found, (!value.is_empty()).then(|| value.to_owned())))
    }

    fn word(&mut self, word: &str) {
        match self.command.find_subcommand(word) {
            Some(subcommand) if self.arguments.is_empty() => {
                self.path.push(subcommand.get_name());
                self.command = subcommand;
            }
            _ => self.arguments.push(word.to_owned()),
        }
    }

    fn expect(&self, current: &str) -> Expected<'a> {
        if !current.starts_with('-') {
            return self.positional(current);
        }
        match (self.option(current), current.split_once('=')) {
            (Some((argument, Some(text))), Some((name, _))) => value(argument, format!("{name}="), &text),
            _ => Expected::Option,
        }
    }

    fn positional(&self, current: &str) -> Expected<'a> {
        let positionals: Vec<&Arg> = self.command.get_positionals().collect();
        let next = positionals.get(self.arguments.len());
        // The last one may take any number of values.
        let takes_more = |last: &&&Arg| last.get_num_args().is_some_and(|number| number.max_values() > 1);
        let argument = next.or_else(|| positionals.last().filter(takes_more)).copied();
        match argument {
            Some(argument) if !self.command.has_subcommands() => value(argument, String::new(), current),
            argument => Expected::Word { argument },
        }
    }
}

/// The value of an argument; of a list, the last one.
fn value<'a>(argument: &'a Arg, before: String, text: &str) -> Expected<'a> {
    let delimiter = argument.get_value_delimiter();
    match delimiter.and_then(|delimiter| text.rsplit_once(delimiter).map(|parts| (delimiter, parts))) {
        Some((delimiter, (previous, text))) => {
            Expected::Value { argument, before: format!("{before}{previous}{delimiter}"), text: text.to_owned() }
        }
        None => Expected::Value { argument, before, text: text.to_owned() },
    }
}
