//! Every setting the servers share. A table, kept in one place so that it can be read from top to bottom.

use super::setting::{Group, Setting, SettingType};

const MANY: u64 = 1_000_000;

/// `--listen`
pub const LISTEN: Setting = Setting::new(
    "listen",
    SettingType::Text,
    Group::Listen,
    "Address and port to listen on, such as 127.0.0.1:8080 or [::]:8080; wins over hostname and port",
);
/// `--hostname`
pub const HOSTNAME: Setting =
    Setting::new("hostname", SettingType::Text, Group::Listen, "Host name or address to listen on")
        .or("localhost")
        .short('n');
/// `--port`
pub const PORT: Setting =
    Setting::new("port", SettingType::Number(0, 65_535), Group::Listen, "Port to listen on; 0 takes any free one")
        .or("8080")
        .short('p');

/// `--database`
pub const DATABASE: Setting = Setting::new(
    "database",
    SettingType::SecretUrl,
    Group::Database,
    "Where the data is: sqlite:PATH, postgres://… or mysql://…",
);

/// `--datastore-type`
pub const DATASTORE_TYPE: Setting =
    Setting::new("datastore-type", SettingType::Choice(&["embedmd"]), Group::Reference, "SettingType of data store")
        .or("embedmd");
/// `--embedmd-database-type`
pub const EMBEDMD_DATABASE_TYPE: Setting = Setting::new(
    "embedmd-database-type",
    SettingType::Choice(&["mysql", "postgres"]),
    Group::Reference,
    "SettingType of database the DSN is for",
)
.or("mysql");
/// `--embedmd-database-dsn`
pub const EMBEDMD_DATABASE_DSN: Setting = Setting::new(
    "embedmd-database-dsn",
    SettingType::SecretUrl,
    Group::Reference,
    "Data source: user:password@tcp(host:port)/name for MySQL, a URL or key=value pairs for PostgreSQL",
);
/// `--embedmd-database-ssl-cert`
pub const EMBEDMD_DATABASE_SSL_CERT: Setting = Setting::new(
    "embedmd-database-ssl-cert",
    SettingType::Path,
    Group::Reference,
    "Client certificate for the database",
);
/// `--embedmd-database-ssl-key`
pub const EMBEDMD_DATABASE_SSL_KEY: Setting = Setting::new(
    "embedmd-database-ssl-key",
    SettingType::Path,
    Group::Reference,
    "Key of the client certificate for the database",
);
/// `--embedmd-database-ssl-root-cert`
pub const EMBEDMD_DATABASE_SSL_ROOT_CERT: Setting = Setting::new(
    "embedmd-database-ssl-root-cert",
    SettingType::Path,
    Group::Reference,
    "Root certificate the database's certificate is checked against; PostgreSQL's always is, once this is given",
);
/// `--embedmd-database-ssl-ca`
pub const EMBEDMD_DATABASE_SSL_CA: Setting = Setting::new(
    "embedmd-database-ssl-ca",
    SettingType::Path,
    Group::Reference,
    "File with further certificates to check against",
);
/// `--embedmd-database-ssl-cipher`
pub const EMBEDMD_DATABASE_SSL_CIPHER: Setting = Setting::new(
    "embedmd-database-ssl-cipher",
    SettingType::Text,
    Group::Reference,
    "Not used: TLS 1.2 and 1.3 with the suites of rustls, which are all secure",
);
/// `--embedmd-database-ssl-verify-server-cert`
pub const EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT: Setting = Setting::new(
    "embedmd-database-ssl-verify-server-cert",
    SettingType::Bool,
    Group::Reference,
    "Check the database's certificate",
)
.or("false");

/// `--auth-mode`
pub const AUTH_MODE: Setting = Setting::new(
    "auth.mode",
    SettingType::Choice(&["none", "token", "oidc"]),
    Group::Auth,
    "Who callers are: nobody is asked, tokens from a file, or tokens of an identity provider",
)
.or("none");
/// `--allow-anonymous`
pub const ALLOW_ANONYMOUS: Setting = Setting::new(
    "auth.allow-anonymous",
    SettingType::Bool,
    Group::Auth,
    "Let mode none listen on addresses other machines can reach",
)
.or("false")
.flag_named("allow-anonymous");
/// `--auth-tokens-file`
pub const AUTH_TOKENS_FILE: Setting = Setting::new(
    "auth.tokens-file",
    SettingType::File,
    Group::Auth,
    "Hashed tokens and whose they are, for mode token",
);
/// `--auth-policy-file`
pub const AUTH_POLICY_FILE: Setting = Setting::new(
    "auth.policy-file",
    SettingType::File,
    Group::Auth,
    "Roles of users and groups; without it every authenticated caller is a writer",
);
/// `--auth-oidc-issuer`
pub const AUTH_OIDC_ISSUER: Setting = Setting::new(
    "auth.oidc-issuer",
    SettingType::Text,
    Group::Auth,
    "URL of the identity provider, exactly as in its tokens",
);
/// `--auth-oidc-audience`
pub const AUTH_OIDC_AUDIENCE: Setting =
    Setting::new("auth.oidc-audience", SettingType::List, Group::Auth, "Audiences a token may be made out to");
/// `--auth-oidc-user-claim`
pub const AUTH_OIDC_USER_CLAIM: Setting =
    Setting::new("auth.oidc-user-claim", SettingType::Text, Group::Auth, "Claim that names the user").or("sub");
/// `--auth-oidc-groups-claim`
pub const AUTH_OIDC_GROUPS_CLAIM: Setting =
    Setting::new("auth.oidc-groups-claim", SettingType::Text, Group::Auth, "Claim that lists the user's groups")
        .or("groups");

/// `--tls-cert`
pub const TLS_CERT: Setting = Setting::new(
    "tls.cert",
    SettingType::File,
    Group::Tls,
    "Certificate chain to serve with, PEM; read again when the file changes",
);
/// `--tls-key`
pub const TLS_KEY: Setting = Setting::new("tls.key", SettingType::File, Group::Tls, "Key of the certificate, PEM");

/// `--limits-request-timeout`
pub const LIMITS_REQUEST_TIMEOUT: Setting = Setting::new(
    "limits.request-timeout",
    SettingType::Duration,
    Group::Limits,
    "Time a request may take before it is given up with 504",
)
.or("60s");
/// `--limits-max-body`
pub const LIMITS_MAX_BODY: Setting =
    Setting::new("limits.max-body", SettingType::Size, Group::Limits, "Largest request body").or("16MiB");
/// `--limits-max-requests`
pub const LIMITS_MAX_REQUESTS: Setting = Setting::new(
    "limits.max-requests",
    SettingType::Number(1, MANY),
    Group::Limits,
    "Requests answered at once; one more is told 503",
)
.or("1024");
/// `--limits-max-connections`
pub const LIMITS_MAX_CONNECTIONS: Setting = Setting::new(
    "limits.max-connections",
    SettingType::Number(1, MANY),
    Group::Limits,
    "Connections served at once; one more is told 503",
)
.or("8192");
/// `--limits-header-timeout`
pub const LIMITS_HEADER_TIMEOUT: Setting = Setting::new(
    "limits.header-timeout",
    SettingType::Duration,
    Group::Limits,
    "Time a peer has to send the head of a request, or may keep a connection idle",
)
.or("30s");
/// `--limits-write-timeout`
pub const LIMITS_WRITE_TIMEOUT: Setting = Setting::new(
    "limits.write-timeout",
    SettingType::Duration,
    Group::Limits,
    "Time a peer may leave an answer without taking any of it",
)
.or("30s");
/// `--limits-max-headers`
pub const LIMITS_MAX_HEADERS: Setting =
    Setting::new("limits.max-headers", SettingType::Number(10, 10_000), Group::Limits, "Header fields of a request")
        .or("100");
/// `--limits-max-header-size`
pub const LIMITS_MAX_HEADER_SIZE: Setting = Setting::new(
    "limits.max-header-size",
    SettingType::Size,
    Group::Limits,
    "Largest head of a request, the URL included; at least 8KiB",
)
.or("64KiB");
/// `--limits-drain`
pub const LIMITS_DRAIN: Setting = Setting::new(
    "limits.drain",
    SettingType::Duration,
    Group::Limits,
    "Time requests in flight have to end when the process is asked to stop",
)
.or("30s");

/// `--changes-retention`
pub const CHANGES_RETENTION: Setting = Setting::new(
    "changes.retention",
    SettingType::Duration,
    Group::Changes,
    "How long changes are kept, for readers of the feed and as an audit log; 0 keeps them for ever",
)
.or("30d");

/// `--cors-origins`
pub const CORS_ORIGINS: Setting = Setting::new(
    "cors.origins",
    SettingType::List,
    Group::Cors,
    "Origins whose pages may call, such as https://hub.example.org; * is any",
);

/// `--log-level`
pub const LOG_LEVEL: Setting = Setting::new(
    "log.level",
    SettingType::Text,
    Group::Log,
    "error, warn, info, debug or trace, or by part: info,access=off,sqlx=warn",
)
.or("info");
/// `--log-format`
pub const LOG_FORMAT: Setting = Setting::new(
    "log.format",
    SettingType::Choice(&["auto", "text", "json"]),
    Group::Log,
    "Form of log lines; auto is text on a terminal and JSON otherwise",
)
.or("auto");

/// `--telemetry-metrics`
pub const TELEMETRY_METRICS: Setting =
    Setting::new("telemetry.metrics", SettingType::Bool, Group::Telemetry, "Serve /metrics for Prometheus").or("true");
/// `--telemetry-otlp-endpoint`
pub const TELEMETRY_OTLP_ENDPOINT: Setting = Setting::new(
    "telemetry.otlp-endpoint",
    SettingType::SecretUrl,
    Group::Telemetry,
    "URL of an OpenTelemetry collector (OTLP over HTTP), such as http://collector:4318; none sends nothing",
);
/// `--telemetry-service-name`
pub const TELEMETRY_SERVICE_NAME: Setting =
    Setting::new("telemetry.service-name", SettingType::Text, Group::Telemetry, "Name in traces").or("model-registry");
/// `--telemetry-sample-ratio`
pub const TELEMETRY_SAMPLE_RATIO: Setting = Setting::new(
    "telemetry.sample-ratio",
    SettingType::Fraction,
    Group::Telemetry,
    "Share of requests that start a trace; a caller's decision is kept",
)
.or("1");

const GLOG: &str = "Logging flag of the reference";

/// Everything above, and the reference's logging flags.
pub const SETTINGS: &[Setting] = &[
    LISTEN,
    HOSTNAME,
    PORT,
    DATABASE,
    AUTH_MODE,
    ALLOW_ANONYMOUS,
    AUTH_TOKENS_FILE,
    AUTH_POLICY_FILE,
    AUTH_OIDC_ISSUER,
    AUTH_OIDC_AUDIENCE,
    AUTH_OIDC_USER_CLAIM,
    AUTH_OIDC_GROUPS_CLAIM,
    TLS_CERT,
    TLS_KEY,
    LIMITS_REQUEST_TIMEOUT,
    LIMITS_MAX_BODY,
    LIMITS_MAX_REQUESTS,
    LIMITS_MAX_CONNECTIONS,
    LIMITS_HEADER_TIMEOUT,
    LIMITS_WRITE_TIMEOUT,
    LIMITS_MAX_HEADERS,
    LIMITS_MAX_HEADER_SIZE,
    LIMITS_DRAIN,
    CHANGES_RETENTION,
    CORS_ORIGINS,
    LOG_LEVEL,
    LOG_FORMAT,
    TELEMETRY_METRICS,
    TELEMETRY_OTLP_ENDPOINT,
    TELEMETRY_SERVICE_NAME,
    TELEMETRY_SAMPLE_RATIO,
    DATASTORE_TYPE,
    EMBEDMD_DATABASE_TYPE,
    EMBEDMD_DATABASE_DSN,
    EMBEDMD_DATABASE_SSL_CERT,
    EMBEDMD_DATABASE_SSL_KEY,
    EMBEDMD_DATABASE_SSL_ROOT_CERT,
    EMBEDMD_DATABASE_SSL_CA,
    EMBEDMD_DATABASE_SSL_CIPHER,
    EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT,
    Setting::new("alsologtostderr", SettingType::Bool, Group::Ignored, GLOG),
    Setting::new("log_backtrace_at", SettingType::Text, Group::Ignored, GLOG),
    Setting::new("log_dir", SettingType::Text, Group::Ignored, GLOG),
    Setting::new("log_link", SettingType::Text, Group::Ignored, GLOG),
    Setting::new("logbuflevel", SettingType::Text, Group::Ignored, GLOG),
    Setting::new("logtostderr", SettingType::Bool, Group::Ignored, GLOG),
    Setting::new("stderrthreshold", SettingType::Text, Group::Ignored, GLOG),
    Setting::new("v", SettingType::Text, Group::Ignored, GLOG).short('v'),
    Setting::new("vmodule", SettingType::Text, Group::Ignored, GLOG),
];
