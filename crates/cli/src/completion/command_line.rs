//! Splits a command line of bash into words, up to the cursor.
//!
//! Bash passes words that are split at `COMP_WORDBREAKS` too, such as `:` in `id:7`, and replaces only the part after the last
//! of these characters.

/// A command line up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// The words without quotes; the last one is the one to complete.
    pub(super) words: Vec<String>,
    /// The quotation mark before the cursor that is not closed.
    quote: Option<char>,
    /// The length of the beginning of the last word that bash keeps, in bytes.
    kept: usize,
}

impl CommandLine {
    pub(super) fn parse(line: &str, breaks: &str) -> Self {
        let (mut words, mut word, mut is_word) = (Vec::new(), String::new(), false);
        let (mut quote, mut kept) = (None, 0);
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match (quote, character) {
                (None, ' ' | '\t') => {
                    if is_word {
                        words.push(std::mem::take(&mut word));
                    }
                    (is_word, kept) = (false, 0);
                    continue;
                }
                (None, '\'' | '"') => {
                    quote = Some(character);
                    kept = word.len();
                }
                (Some(open), _) if open == character => {
                    quote = None;
                    kept = word.len();
                }
                (None | Some('"'), '\\') => word.extend(characters.next()),
                (None, _) if breaks.contains(character) => {
                    word.push(character);
                    kept = word.len();
                }
                _ => word.push(character),
            }
            is_word = true;
        }
        words.push(word);
        Self { words, quote, kept }
    }

    /// The part of a candidate that replaces the text after the last break, as it is written in the shell.
    pub(super) fn replacement(&self, candidate: &str) -> String {
        let is_kept = self.words.last().and_then(|word| word.get(..self.kept));
        let rest = is_kept.and_then(|kept| candidate.strip_prefix(kept)).unwrap_or(candidate);
        let is_special = |character: char| match self.quote {
            Some('\'') => false,
            Some(_) => matches!(character, '"' | '$' | '`' | '\\'),
            None => !(character.is_alphanumeric() || "_@%+=:,./-".contains(character)),
        };
        let mut text = String::new();
        for character in rest.chars() {
            if is_special(character) {
                text.push('\\');
            }
            text.push(character);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKS: &str = " \t\n\"'><=;|&(:";

    fn words(line: &str) -> Vec<String> {
        CommandLine::parse(line, BREAKS).words
    }

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        assert_eq!(words("a  b "), ["a", "b", ""]);
        assert_eq!(words(r#"a "b c" d\ e 'f"#), ["a", "b c", "d e", "f"]);
        assert_eq!(words("a ''"), ["a", ""]);
        assert_eq!(words("a --b=c:d"), ["a", "--b=c:d"]);
    }

    #[test]
    fn a_replacement_is_quoted_and_lacks_what_bash_keeps() {
        for (line, candidate, expected) in [
            ("x --output=j", "--output=json", "json"),
            ("x name:7", "name:77", "77"),
            ("x org/tr", "org/translator", "org/translator"),
            ("x my", "my model", "my\\ model"),
            ("x \"my", "my $model", "my \\$model"),
            ("x 'my", "my $model", "my $model"),
            ("x --server=\"ht", "--server=http://a", "http://a"),
        ] {
            assert_eq!(CommandLine::parse(line, BREAKS).replacement(candidate), expected, "{line}");
        }
    }
}
