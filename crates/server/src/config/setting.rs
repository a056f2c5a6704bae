//! What a setting is.

/// One setting: what it is called everywhere, what its value looks like, and what it is for.
#[derive(Debug)]
pub struct Setting {
    /// The key in the file, dotted: `limits.max-body` is `max-body` in the table `[limits]`.
    pub key: &'static str,
    /// What a value looks like.
    pub kind: SettingType,
    /// Which subcommands have it.
    pub group: Group,
    /// One sentence for people.
    pub help: &'static str,
    /// What holds when nobody says anything.
    pub default: Option<&'static str>,
    /// The letter of the short flag.
    pub short: Option<char>,
    flag: Option<&'static str>,
}

impl Setting {
    /// Declares a setting.
    pub const fn new(key: &'static str, kind: SettingType, group: Group, help: &'static str) -> Self {
        Self { key, kind, group, help, default: None, short: None, flag: None }
    }

    /// Gives it a default.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Gives it a short flag.
    #[must_use]
    pub const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// Gives it a flag that does not follow from its key.
    #[must_use]
    pub const fn flag_named(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    /// Returns the long flag without its dashes.
    pub fn flag(&self) -> String {
        self.flag.map_or_else(|| self.key.replace('.', "-"), str::to_owned)
    }

    /// Returns the environment variable.
    pub fn variable(&self) -> String {
        format!("MR_{}", self.flag().replace(['-', '.'], "_").to_ascii_uppercase())
    }
}

/// What the value of a setting looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingType {
    /// Any text.
    Text,
    /// A whole number within these limits.
    Number(u64, u64),
    /// `true` or `false`; the flag alone means `true`.
    Bool,
    /// `500ms`, `30s`, `5m`, `1h`, `30d`.
    Duration,
    /// Bytes: `65536`, `64KiB`, `16MiB`, `1GiB`.
    Size,
    /// A fraction from 0 to 1.
    Fraction,
    /// Several texts: an array in the file, separated by commas elsewhere; the flag may be repeated.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A file that must be readable.
    File,
    /// A path that may or may not exist.
    Path,
    /// A text nobody may see.
    Secret,
    /// A URL or DSN whose password nobody may see.
    SecretUrl,
}

impl SettingType {
    /// Returns the name of the value in `--help`.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "TEXT",
            Self::Number(..) => "NUMBER",
            Self::Bool => "BOOL",
            Self::Duration => "DURATION",
            Self::Size => "SIZE",
            Self::Fraction => "FRACTION",
            Self::List => "LIST",
            Self::Choice(_) => "CHOICE",
            Self::File => "FILE",
            Self::Path => "PATH",
            Self::SecretUrl => "URL",
        }
    }

    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretUrl)
    }
}

/// What a setting is about: subcommands pick groups, the documentation has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Where the server listens.
    Listen,
    /// Where the data is.
    Database,
    /// Names of the reference implementation, for existing manifests.
    Reference,
    /// Logs.
    Log,
    /// Who may do what.
    Auth,
    /// TLS on the listening socket.
    Tls,
    /// What a caller can use up.
    Limits,
    /// The change log.
    Changes,
    /// Web pages of other origins.
    Cors,
    /// Metrics and traces.
    Telemetry,
    /// Where the catalog reads from.
    Catalog,
    /// Anything one subcommand declares for itself.
    Other,
    /// Accepted and without effect.
    Ignored,
}

impl Group {
    /// Every group, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Listen,
        Self::Database,
        Self::Auth,
        Self::Tls,
        Self::Limits,
        Self::Changes,
        Self::Cors,
        Self::Log,
        Self::Telemetry,
        Self::Catalog,
        Self::Other,
        Self::Reference,
        Self::Ignored,
    ];

    /// Returns the heading in `--help` and in the documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::Listen => "Listening",
            Self::Database => "Database",
            Self::Reference => "Compatibility",
            Self::Log => "Logs",
            Self::Auth => "Authentication and authorization",
            Self::Tls => "TLS",
            Self::Limits => "Limits",
            Self::Changes => "Change feed",
            Self::Cors => "Cross-origin requests",
            Self::Telemetry => "Telemetry",
            Self::Catalog => "Catalog",
            Self::Other => "Other",
            Self::Ignored => "Accepted without effect",
        }
    }
}
