//! The settings that all servers share, in one table.

use super::setting::{Group, Setting, SettingType};

/// Upper limit of limits that are counts.
const MANY: u64 = 1_000_000;

/// `--listen`
pub const LISTEN: Setting = Setting::new(
    "listen",
    SettingType::String,
    Group::Listen,
    "Address and port to listen on, for example 127.0.0.1:8080 or [::]:8080; overrides hostname and port",
);
/// `--hostname`
pub const HOSTNAME: Setting =
    Setting::new("hostname", SettingType::String, Group::Listen, "Host name or address to listen on")
        .or("localhost")
        .short('n');
/// `--port`
pub const PORT: Setting =
    Setting::new("port", SettingType::Number(0, 65_535), Group::Listen, "Port to listen on; 0 picks a free port")
        .or("8080")
        .short('p');
/// `--allowed-hosts`
pub const ALLOWED_HOSTS: Setting = Setting::new(
    "allowed-hosts",
    SettingType::List,
    Group::Listen,
    "Host names accepted in addition to loopback names and the listening address, on a loopback address or without \
     authentication: names, *.suffix, or * for any",
)
.or("*.svc,*.svc.cluster.local");

/// `--database`
pub const DATABASE: Setting = Setting::new(
    "database",
    SettingType::SecretUrl,
    Group::Database,
    "Database URL: sqlite:PATH, postgres://… or mysql://…",
);
/// `--database-max-connections`
pub const DATABASE_MAX_CONNECTIONS: Setting = Setting::new(
    "database-max-connections",
    SettingType::Number(2, 10_000),
    Group::Database,
    "Maximum number of connections to the database per replica; on SQLite, of reading ones",
)
.or("16");

/// `--datastore-type`
pub const DATASTORE_TYPE: Setting =
    Setting::new("datastore-type", SettingType::Choice(&["embedmd"]), Group::Compatibility, "Type of data store")
        .or("embedmd");
/// `--embedmd-database-type`
pub const EMBEDMD_DATABASE_TYPE: Setting = Setting::new(
    "embedmd-database-type",
    SettingType::Choice(&["mysql", "postgres"]),
    Group::Compatibility,
    "Database type of the DSN",
)
.or("mysql");
/// `--embedmd-database-dsn`
pub const EMBEDMD_DATABASE_DSN: Setting = Setting::new(
    "embedmd-database-dsn",
    SettingType::SecretUrl,
    Group::Compatibility,
    "Data source name: user:password@tcp(host:port)/name for MySQL; a URL or key=value pairs for PostgreSQL",
);
/// `--embedmd-database-ssl-cert`
pub const EMBEDMD_DATABASE_SSL_CERT: Setting = Setting::new(
    "embedmd-database-ssl-cert",
    SettingType::Path,
    Group::Compatibility,
    "Client certificate for the database connection, PEM",
);
/// `--embedmd-database-ssl-key`
pub const EMBEDMD_DATABASE_SSL_KEY: Setting = Setting::new(
    "embedmd-database-ssl-key",
    SettingType::Path,
    Group::Compatibility,
    "Private key of the client certificate, PEM",
);
/// `--embedmd-database-ssl-root-cert`
pub const EMBEDMD_DATABASE_SSL_ROOT_CERT: Setting = Setting::new(
    "embedmd-database-ssl-root-cert",
    SettingType::Path,
    Group::Compatibility,
    "Root certificate for verifying the database server; for PostgreSQL it also turns verification on",
);
/// `--embedmd-database-ssl-ca`
pub const EMBEDMD_DATABASE_SSL_CA: Setting = Setting::new(
    "embedmd-database-ssl-ca",
    SettingType::Path,
    Group::Compatibility,
    "File with additional certificates for verifying the database server",
);
/// `--embedmd-database-ssl-cipher`
pub const EMBEDMD_DATABASE_SSL_CIPHER: Setting = Setting::new(
    "embedmd-database-ssl-cipher",
    SettingType::String,
    Group::Compatibility,
    "Ignored: TLS 1.2 and 1.3 with the cipher suites of rustls, all of them secure",
);
/// `--embedmd-database-ssl-verify-server-cert`
pub const EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT: Setting = Setting::new(
    "embedmd-database-ssl-verify-server-cert",
    SettingType::Bool,
    Group::Compatibility,
    "Verify the certificate of the database server",
)
.or("false");

/// `--auth-mode`
pub const AUTH_MODE: Setting = Setting::new(
    "auth.mode",
    SettingType::Choice(&["none", "token", "oidc"]),
    Group::Auth,
    "Authentication: none, static tokens from a file, or OIDC tokens of an identity provider",
)
.or("none");
/// `--allow-anonymous`
pub const ALLOW_ANONYMOUS: Setting = Setting::new(
    "auth.allow-anonymous",
    SettingType::Bool,
    Group::Auth,
    "Allow mode none on addresses that other machines can reach",
)
.or("false")
.flag_named("allow-anonymous");
/// `--auth-tokens-file`
pub const AUTH_TOKENS_FILE: Setting = Setting::new(
    "auth.tokens-file",
    SettingType::File,
    Group::Auth,
    "File with hashed tokens and their users, for mode token",
);
/// `--auth-policy-file`
pub const AUTH_POLICY_FILE: Setting = Setting::new(
    "auth.policy-file",
    SettingType::File,
    Group::Auth,
    "File with the roles of users and groups; without it, every authenticated caller is a writer",
);
/// `--auth-oidc-issuer`
pub const AUTH_OIDC_ISSUER: Setting = Setting::new(
    "auth.oidc-issuer",
    SettingType::String,
    Group::Auth,
    "URL of the identity provider, exactly as in the issuer claim of its tokens",
);
/// `--auth-oidc-audience`
pub const AUTH_OIDC_AUDIENCE: Setting =
    Setting::new("auth.oidc-audience", SettingType::List, Group::Auth, "Accepted audiences of tokens");
/// `--auth-oidc-user-claim`
pub const AUTH_OIDC_USER_CLAIM: Setting =
    Setting::new("auth.oidc-user-claim", SettingType::String, Group::Auth, "Claim with the user name").or("sub");
/// `--auth-oidc-groups-claim`
pub const AUTH_OIDC_GROUPS_CLAIM: Setting =
    Setting::new("auth.oidc-groups-claim", SettingType::String, Group::Auth, "Claim with the list of groups")
        .or("groups");

/// `--tls-cert`
pub const TLS_CERT: Setting = Setting::new(
    "tls.cert",
    SettingType::File,
    Group::Tls,
    "Certificate chain of the server, PEM; reloaded when the file changes",
);
/// `--tls-key`
pub const TLS_KEY: Setting =
    Setting::new("tls.key", SettingType::File, Group::Tls, "Private key of the certificate, PEM");

/// `--limits-request-timeout`
pub const LIMITS_REQUEST_TIMEOUT: Setting = Setting::new(
    "limits.request-timeout",
    SettingType::Duration,
    Group::Limits,
    "Request timeout; a longer request ends with 504",
)
.or("60s");
/// `--limits-max-body`
pub const LIMITS_MAX_BODY: Setting =
    Setting::new("limits.max-body", SettingType::Size, Group::Limits, "Maximum size of a request body").or("16MiB");
/// `--limits-memory`
pub const LIMITS_MEMORY: Setting = Setting::new(
    "limits.memory",
    SettingType::Size,
    Group::Limits,
    "Memory for request bodies, the work on large ones, and responses that are not read yet; requests beyond it get 503; \
     unset means a quarter of the memory of the container or machine, from 96MiB to 256MiB; at least 6 times max-body",
);
/// `--limits-max-requests`
pub const LIMITS_MAX_REQUESTS: Setting = Setting::new(
    "limits.max-requests",
    SettingType::Number(1, MANY),
    Group::Limits,
    "Maximum number of concurrent requests, counted from the end of their bodies; more get 503",
)
.or("1024");
/// `--limits-max-connections`
pub const LIMITS_MAX_CONNECTIONS: Setting = Setting::new(
    "limits.max-connections",
    SettingType::Number(1, MANY),
    Group::Limits,
    "Maximum number of concurrent connections; more get 503",
)
.or("8192");
/// `--limits-header-timeout`
pub const LIMITS_HEADER_TIMEOUT: Setting = Setting::new(
    "limits.header-timeout",
    SettingType::Duration,
    Group::Limits,
    "Timeout for receiving the head of a request; also closes idle connections",
)
.or("30s");
/// `--limits-write-timeout`
pub const LIMITS_WRITE_TIMEOUT: Setting = Setting::new(
    "limits.write-timeout",
    SettingType::Duration,
    Group::Limits,
    "Stalled-write timeout: closes a connection whose peer stops reading a response",
)
.or("30s");
/// `--limits-max-headers`
pub const LIMITS_MAX_HEADERS: Setting = Setting::new(
    "limits.max-headers",
    SettingType::Number(10, 10_000),
    Group::Limits,
    "Maximum number of header fields of a request",
)
.or("100");
/// `--limits-max-header-size`
pub const LIMITS_MAX_HEADER_SIZE: Setting = Setting::new(
    "limits.max-header-size",
    SettingType::Size,
    Group::Limits,
    "Maximum size of the head of a request, including the URL; at least 8KiB",
)
.or("64KiB");
/// `--limits-drain`
pub const LIMITS_DRAIN: Setting = Setting::new(
    "limits.drain",
    SettingType::Duration,
    Group::Limits,
    "Graceful shutdown: time for requests in flight to finish",
)
.or("30s");

/// `--changes-retention`
pub const CHANGES_RETENTION: Setting = Setting::new(
    "changes.retention",
    SettingType::Duration,
    Group::Changes,
    "Retention of the change feed, which is also the audit log; 0 keeps changes forever",
)
.or("30d");

/// `--cors-allowed-origins`
pub const CORS_ALLOWED_ORIGINS: Setting = Setting::new(
    "cors.allowed-origins",
    SettingType::List,
    Group::Cors,
    "Origins whose web pages may call the API, such as https://hub.example.org or https://*.example.org; * allows any",
);

/// `--alpha-sunset-date`
pub const ALPHA_SUNSET_DATE: Setting = Setting::new(
    "alpha-sunset-date",
    SettingType::Date,
    Group::Deprecation,
    "Day from which v1alpha3, and v1alpha1 of the catalog, may be removed: responses get the headers Deprecation, Sunset and Link",
);

/// `--log-level`
pub const LOG_LEVEL: Setting = Setting::new(
    "log.level",
    SettingType::String,
    Group::Log,
    "Log filter: error, warn, info, debug or trace, or directives such as info,access=off,sqlx=warn",
)
.or("info");
/// `--log-format`
pub const LOG_FORMAT: Setting = Setting::new(
    "log.format",
    SettingType::Choice(&["auto", "text", "json"]),
    Group::Log,
    "Format of log lines; auto is text on a terminal, JSON otherwise",
)
.or("auto");

/// `--telemetry-metrics`
pub const TELEMETRY_METRICS: Setting =
    Setting::new("telemetry.metrics", SettingType::Bool, Group::Telemetry, "Serve Prometheus metrics at /metrics")
        .or("true");
/// `--telemetry-otlp-endpoint`
pub const TELEMETRY_OTLP_ENDPOINT: Setting = Setting::new(
    "telemetry.otlp-endpoint",
    SettingType::SecretUrl,
    Group::Telemetry,
    "URL of an OpenTelemetry collector (OTLP over HTTP), for example http://collector:4318; unset sends nothing",
);
/// `--telemetry-service-name`
pub const TELEMETRY_SERVICE_NAME: Setting =
    Setting::new("telemetry.service-name", SettingType::String, Group::Telemetry, "Service name in traces and metrics")
        .or("model-registry");
/// `--telemetry-sample-ratio`
pub const TELEMETRY_SAMPLE_RATIO: Setting = Setting::new(
    "telemetry.sample-ratio",
    SettingType::Fraction,
    Group::Telemetry,
    "Fraction of requests that start a trace; the caller's sampling decision takes precedence",
)
.or("1");

const GLOG: &str = "Logging flag of the Kubeflow Model Registry, ignored";

/// All settings above, and the ignored logging flags of the Kubeflow Model Registry.
pub const SETTINGS: &[Setting] = &[
    LISTEN,
    HOSTNAME,
    PORT,
    ALLOWED_HOSTS,
    DATABASE,
    DATABASE_MAX_CONNECTIONS,
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
    LIMITS_MEMORY,
    LIMITS_MAX_REQUESTS,
    LIMITS_MAX_CONNECTIONS,
    LIMITS_HEADER_TIMEOUT,
    LIMITS_WRITE_TIMEOUT,
    LIMITS_MAX_HEADERS,
    LIMITS_MAX_HEADER_SIZE,
    LIMITS_DRAIN,
    CHANGES_RETENTION,
    CORS_ALLOWED_ORIGINS,
    ALPHA_SUNSET_DATE,
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
    Setting::new("log_backtrace_at", SettingType::String, Group::Ignored, GLOG),
    Setting::new("log_dir", SettingType::String, Group::Ignored, GLOG),
    Setting::new("log_link", SettingType::String, Group::Ignored, GLOG),
    Setting::new("logbuflevel", SettingType::String, Group::Ignored, GLOG),
    Setting::new("logtostderr", SettingType::Bool, Group::Ignored, GLOG),
    Setting::new("stderrthreshold", SettingType::String, Group::Ignored, GLOG),
    Setting::new("v", SettingType::String, Group::Ignored, GLOG).short('v'),
    Setting::new("vmodule", SettingType::String, Group::Ignored, GLOG),
];
