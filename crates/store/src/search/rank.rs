//! How well a text matches, without regard to case.

use model_registry_filter::fold;

/// A text of fewer characters is looked for at the beginning only: everything contains it.
const SUBSTRING_CHARACTERS: usize = 2;

/// How well a text matches; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It is the text.
    Exact,
    /// It begins with the text.
    Prefix,
    /// One of its words begins with the text.
    Word,
    /// It contains the text.
    Substring,
}

impl Rank {
    pub const NAMES: [&'static str; 4] = ["exact", "prefix", "word", "substring"];

    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// The text of a search.
pub(super) struct Text {
    pub(super) typed: String,
    folded: String,
    /// A name and the name of its parent: `fraud-detector/v1`.
    pub(super) below_parent: Option<(String, String)>,
}

impl Text {
    pub(super) fn of(text: &str) -> Self {
        let typed = text.trim().to_owned();
        let below_parent = typed
            .rsplit_once('/')
            .filter(|(parent, name)| !parent.is_empty() && !name.is_empty())
            .map(|(parent, name)| (parent.to_owned(), name.to_owned()));
        Self { folded: fold(&typed), typed, below_parent }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    pub(super) fn id(&self) -> Option<i64> {
        model_registry_api::parse_id(&self.typed)
    }

    pub(super) fn has_substrings(&self) -> bool {
        self.typed.chars().count() >= SUBSTRING_CHARACTERS
    }

    /// The spellings with which an index that distinguishes case is searched: as typed, in lower case, in upper case, and with
    /// a capital.
    pub(super) fn spellings(&self) -> Vec<String> {
        let lower = self.typed.to_lowercase();
        let mut characters = lower.chars();
        let capitalised: String =
            characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default();
        let mut spellings = vec![self.typed.clone()];
        for spelling in [lower, self.typed.to_uppercase(), capitalised] {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        spellings
    }

    /// A pattern of LIKE over names in lower case that no name with the text lacks: other letters than those of ASCII,
    /// which databases fold differently, stand for anything.
    pub(super) fn pattern(&self) -> String {
        let mut pattern = String::new();
        let mut is_open = true;
        for character in self.typed.chars() {
            if !character.is_ascii() {
                is_open = true;
                continue;
            }
            if std::mem::take(&mut is_open) {
                pattern.push('%');
            }
            if matches!(character, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(character.to_ascii_lowercase());
        }
        pattern.push('%');
        pattern
    }

    /// How well it matches; `None` if it does not.
    pub(super) fn rank(&self, found: &str) -> Option<Rank> {
        rank(&fold(found), &self.folded)
    }

    /// How well the part of the text after the name of the parent matches.
    pub(super) fn rank_below_parent(&self, found: &str) -> Option<Rank> {
        let (_, name) = self.below_parent.as_ref()?;
        rank(&fold(found), &fold(name))
    }
}

fn rank(found: &str, text: &str) -> Option<Rank> {
    if found == text {
        return Some(Rank::Exact);
    }
    let mut rank = None;
    for (position, _) in found.match_indices(text) {
        let before = found.get(..position).and_then(|before| before.chars().next_back());
        match before {
            None => return Some(Rank::Prefix),
            Some(before) if !before.is_alphanumeric() => return Some(Rank::Word),
            Some(_) => rank = Some(Rank::Substring),
        }
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_texts_precede_prefixes_words_and_substrings() {
        let text = Text::of(" Fraud ");
        for (found, expected) in [
            ("fraud", Some(Rank::Exact)),
            ("FRAUD", Some(Rank::Exact)),
            ("fraud-detector", Some(Rank::Prefix)),
            ("anti-fraud", Some(Rank::Word)),
            ("unfraud my-fraud", Some(Rank::Word)),
            ("antifraud", Some(Rank::Substring)),
            ("detector", None),
        ] {
            assert_eq!(text.rank(found), expected, "{found}");
        }
        assert_eq!(Text::of("ÉTÉ").rank("un-été"), Some(Rank::Word));
    }

    #[test]
    fn a_name_may_follow_that_of_its_parent() {
        let text = Text::of("org/Fraud/v1");
        assert_eq!(text.below_parent, Some(("org/Fraud".to_owned(), "v1".to_owned())));
        assert_eq!(text.rank_below_parent("v1"), Some(Rank::Exact));
        assert_eq!(text.rank_below_parent("v12"), Some(Rank::Prefix));
        for whole in ["fraud", "/v1", "fraud/"] {
            assert_eq!(Text::of(whole).below_parent, None, "{whole}");
        }
    }

    #[test]
    fn patterns_escape_wildcards_and_leave_other_letters_open() {
        assert_eq!(Text::of("Fraud_50%!").pattern(), "%fraud!_50!%!!%");
        assert_eq!(Text::of("Été-ÉÉ").pattern(), "%t%-%");
        assert_eq!(Text::of("%éx").pattern(), "%!%%x%");
        assert_eq!(Text::of("é").pattern(), "%");
    }

    #[test]
    fn spellings_are_distinct() {
        assert_eq!(Text::of("fraud").spellings(), ["fraud", "FRAUD", "Fraud"]);
        assert_eq!(Text::of("v1").spellings(), ["v1", "V1"]);
        assert_eq!(Text::of("7").spellings(), ["7"]);
        assert_eq!(Text::of("fraudNet").spellings(), ["fraudNet", "fraudnet", "FRAUDNET", "Fraudnet"]);
    }
}
