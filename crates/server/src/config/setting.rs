//! The declaration of a setting: names, value type, group, help and default.

/// The declaration of one setting.
#[derive(Debug)]
pub struct Setting {
    /// The key in the file, dotted: `limits.max-body` is `max-body` in the table `[limits]`.
    pub key: &'static str,
    pub value_type: SettingType,
    /// Subcommands select settings by group.
    pub group: Group,
    /// One sentence for `--help`, the documentation and the JSON schema.
    pub help: &'static str,
    pub default: Option<&'static str>,
    /// Letter of the short flag.
    pub short: Option<char>,
    flag: Option<&'static str>,
}

impl Setting {
    pub const fn new(key: &'static str, value_type: SettingType, group: Group, help: &'static str) -> Self {
        Self { key, value_type, group, help, default: None, short: None, flag: None }
    }

    /// Sets the default.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Sets the short flag.
    #[must_use]
    pub const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// Sets a flag that does not derive from the key.
    #[must_use]
    pub const fn flag_named(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    /// The long flag without its dashes.
    pub fn flag(&self) -> String {
        self.flag.map_or_else(|| self.key.replace('.', "-"), str::to_owned)
    }

    /// The environment variable, `MR_…`.
    pub fn variable(&self) -> String {
        format!("MR_{}", self.flag().replace(['-', '.'], "_").to_ascii_uppercase())
    }
}

/// The type of a setting's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingType {
    String,
    /// A whole number from the first limit to the second.
    Number(u64, u64),
    /// `true` or `false`; the flag alone means `true`.
    Bool,
    /// `500ms`, `30s`, `1h30m`, `30d`: see [`model_registry_base::parse_duration`].
    Duration,
    /// A day: `2027-04-29`; empty for none.
    Date,
    /// Bytes: `65536`, `64KiB`, `16MiB`, `1GiB`.
    Size,
    /// A fraction from 0 to 1.
    Fraction,
    /// Strings: an array in the file, separated by commas elsewhere; the flag may be repeated.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A file that must be readable.
    File,
    /// A path, which need not exist.
    Path,
    /// A string that is masked in output.
    Secret,
    /// A URL or DSN whose password is masked in output.
    SecretUrl,
}

impl SettingType {
    /// The name of the value in `--help`.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::String | Self::Secret => "STRING",
            Self::Number(..) => "NUMBER",
            Self::Bool => "BOOL",
            Self::Duration => "DURATION",
            Self::Date => "DATE",
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

/// The topic of a setting: subcommands select groups, the documentation has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Listen,
    Database,
    /// Flags of the Kubeflow Model Registry, for existing manifests.
    Compatibility,
    Log,
    /// Authentication and authorization.
    Auth,
    /// TLS of the listening socket.
    Tls,
    /// Limits on what a caller can use up.
    Limits,
    /// The change feed.
    Changes,
    /// Cross-origin requests.
    Cors,
    /// Deprecated versions of the API.
    Deprecation,
    /// Metrics and traces.
    Telemetry,
    /// Sources of the catalog.
    Catalog,
    /// Settings that one subcommand declares for itself.
    Other,
    /// Accepted and without effect.
    Ignored,
}

impl Group {
    /// All groups, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::Listen,
        Self::Database,
        Self::Auth,
        Self::Tls,
        Self::Limits,
        Self::Changes,
        Self::Cors,
        Self::Deprecation,
        Self::Log,
        Self::Telemetry,
        Self::Catalog,
        Self::Other,
        Self::Compatibility,
        Self::Ignored,
    ];

    /// The heading in `--help` and in the documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::Listen => "Listening",
            Self::Database => "Database",
            Self::Compatibility => "Compatibility",
            Self::Log => "Logs",
            Self::Auth => "Authentication and authorization",
            Self::Tls => "TLS",
            Self::Limits => "Limits",
            Self::Changes => "Change feed",
            Self::Cors => "Cross-origin requests",
            Self::Deprecation => "Deprecation",
            Self::Telemetry => "Telemetry",
            Self::Catalog => "Catalog",
            Self::Other => "Other",
            Self::Ignored => "Accepted without effect",
        }
    }
}
