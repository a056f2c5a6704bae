//! Converts settings into the options of the other modules.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use model_registry_base::MemoryBudget;
use model_registry_base::time::http_date_of_day;
use rustls::ServerConfig;

use super::declarations as key;
use super::{ConfigError, Origin, Setting, Settings, memory};
use crate::auth::{Auth, Authenticator, Oidc, OidcOptions, Policy, Role, Rules, TokenFile};
use crate::health::Health;
use crate::layers::AllowedHosts;
use crate::telemetry::{Collector, CollectorOptions, LogFormat, Metrics, log};
use crate::{layers, listener, tls};

/// The exporters of traces and metrics, if configured; dropping it sends what is pending.
#[must_use]
pub struct Telemetry {
    collector: Option<Collector>,
}

impl Telemetry {
    /// Exports metrics to the collector, if one is configured. Call it after all gauges and counters are added.
    pub fn export(&self, metrics: &Metrics) {
        if let Some(collector) = &self.collector {
            collector.export(metrics);
        }
    }
}

impl Settings {
    /// The host and port to listen on.
    pub fn listen_address(&self) -> Result<(String, u16), ConfigError> {
        let Some(listen) = self.string(&key::LISTEN) else {
            let host = self.string(&key::HOSTNAME).unwrap_or("localhost").to_owned();
            let port = u16::try_from(self.number(&key::PORT)).expect("validated when loaded");
            return Ok((host, port));
        };
        let wrong = || self.wrong(&key::LISTEN, &format!("`{listen}` is not HOST:PORT"));
        let (host, port) = listen.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        // `:8080` means all addresses, as in Go.
        let host = if host.is_empty() { "::" } else { host };
        Ok((host.to_owned(), port))
    }

    /// Options of the listener; the caller adds [`Settings::tls`].
    pub fn listener_options(&self) -> listener::Options {
        listener::Options {
            header_timeout: self.duration(&key::LIMITS_HEADER_TIMEOUT),
            write_timeout: self.duration(&key::LIMITS_WRITE_TIMEOUT),
            max_headers: self.count(&key::LIMITS_MAX_HEADERS),
            // The minimum of hyper.
            max_header_bytes: self.size(&key::LIMITS_MAX_HEADER_SIZE).max(8 * 1024),
            max_connections: self.count(&key::LIMITS_MAX_CONNECTIONS),
            drain: self.duration(&key::LIMITS_DRAIN),
            tls: None,
        }
    }

    /// The hosts of requests that a listener accepts. All are accepted where every caller has to show a token and the
    /// listener is not local: a web page has no token, and names of a server in a network are many.
    pub fn allowed_hosts(&self, address: SocketAddr, is_anonymous: bool) -> Result<AllowedHosts, ConfigError> {
        let names = self.list(&key::ALLOWED_HOSTS).iter().map(String::as_str);
        let hosts = AllowedHosts::of_listener(address, &self.listen_address()?.0, names)
            .map_err(|error| self.wrong(&key::ALLOWED_HOSTS, &error))?;
        let is_local = address.ip().to_canonical().is_loopback();
        Ok(if is_anonymous || is_local { hosts } else { AllowedHosts::any() })
    }

    /// The maximum number of connections to the database.
    pub fn database_connections(&self) -> u32 {
        u32::try_from(self.number(&key::DATABASE_MAX_CONNECTIONS)).unwrap_or(u32::MAX)
    }

    /// The memory that requests may use.
    pub fn memory(&self) -> Result<MemoryBudget, ConfigError> {
        let least = self.size(&key::LIMITS_MAX_BODY).saturating_mul(6);
        let bytes = match self.string(&key::LIMITS_MEMORY) {
            None => memory::default_budget().max(least),
            Some(_) => self.size(&key::LIMITS_MEMORY),
        };
        if bytes < least {
            let reason =
                format!("{bytes} bytes are too few: at least 6 times limits.max-body are required, {least} bytes");
            return Err(self.wrong(&key::LIMITS_MEMORY, &reason));
        }
        Ok(MemoryBudget::new(bytes))
    }

    /// Options of the layers around every request; the caller adds the memory budget, hosts, metrics and deprecated APIs.
    pub fn layer_options(&self, health: Health) -> layers::Options {
        layers::Options {
            request_timeout: self.duration(&key::LIMITS_REQUEST_TIMEOUT),
            max_body: self.size(&key::LIMITS_MAX_BODY),
            max_requests: self.count(&key::LIMITS_MAX_REQUESTS),
            memory: MemoryBudget::default(),
            body_rate: layers::BodyRate::default(),
            hosts: AllowedHosts::any(),
            cors: layers::Cors::new(self.list(&key::CORS_ALLOWED_ORIGINS).iter().cloned()),
            deprecations: Vec::new(),
            health,
            metrics: None,
            traces: self.string(&key::TELEMETRY_OTLP_ENDPOINT).is_some(),
        }
    }

    /// The sunset date of the alpha APIs in the form of HTTP headers, if one is set.
    pub fn alpha_sunset(&self) -> Option<String> {
        self.string(&key::ALPHA_SUNSET_DATE).and_then(http_date_of_day)
    }

    /// Starts logging and the export of traces, and logs the notices of loading. Keep the result until the process
    /// ends.
    pub fn start_log(&self) -> Result<Telemetry, ConfigError> {
        let format = match self.string(&key::LOG_FORMAT) {
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            _ => LogFormat::Auto,
        };
        let (telemetry, layer) = self.traces()?;
        log::start(self.string(&key::LOG_LEVEL).unwrap_or("info"), format, layer)
            .map_err(|error| self.wrong(&key::LOG_LEVEL, &error))?;
        self.log_notices();
        Ok(telemetry)
    }

    /// Starts the export of traces and metrics without a log, for commands. Keep the result until the process ends.
    pub fn start_export(&self) -> Result<Telemetry, ConfigError> {
        let (telemetry, layer) = self.traces()?;
        if let Some(layer) = layer {
            log::start_without_lines(layer).map_err(|error| self.wrong(&key::TELEMETRY_OTLP_ENDPOINT, &error))?;
        }
        Ok(telemetry)
    }

    fn traces(&self) -> Result<(Telemetry, Option<log::ExtraLayer>), ConfigError> {
        let Some(endpoint) = self.string(&key::TELEMETRY_OTLP_ENDPOINT) else {
            return Ok((Telemetry { collector: None }, None));
        };
        if !is_url_of_collector(endpoint) {
            let reason = "this is not a URL such as http://collector:4318; in a user or password, write special \
                          characters percent-encoded: `/` as %2F, `@` as %40";
            return Err(self.wrong(&key::TELEMETRY_OTLP_ENDPOINT, &reason));
        }
        let options = CollectorOptions {
            endpoint: endpoint.to_owned(),
            service_name: self.string(&key::TELEMETRY_SERVICE_NAME).unwrap_or("model-registry").to_owned(),
            service_version: env!("CARGO_PKG_VERSION"),
            sample_ratio: self.fraction(&key::TELEMETRY_SAMPLE_RATIO),
        };
        let collector =
            Collector::start(&options).map_err(|error| self.wrong(&key::TELEMETRY_OTLP_ENDPOINT, &error))?;
        let layer = collector.layer();
        Ok((Telemetry { collector: Some(collector) }, Some(layer)))
    }

    /// Authentication and authorization with these rules. Requires a Tokio runtime, which polls the files.
    pub fn auth(&self, rules: Rules) -> Result<Auth, ConfigError> {
        let authenticator = match self.string(&key::AUTH_MODE) {
            Some("token") => {
                let path = self.required(&key::AUTH_TOKENS_FILE, "token")?;
                let tokens = TokenFile::load(Path::new(path));
                Authenticator::Tokens(tokens.map_err(|error| self.wrong(&key::AUTH_TOKENS_FILE, &error))?)
            }
            Some("oidc") => Authenticator::Oidc(Arc::new(self.oidc()?)),
            _ => Authenticator::Anonymous,
        };
        let policy = match (&authenticator, self.path(&key::AUTH_POLICY_FILE)) {
            (Authenticator::Anonymous, None) => Policy::Uniform(Role::Admin),
            (Authenticator::Anonymous, Some(_)) => {
                let reason = "a policy requires authenticated callers: set auth.mode to token or oidc";
                return Err(self.wrong(&key::AUTH_POLICY_FILE, &reason));
            }
            (_, None) => Policy::Uniform(Role::Writer),
            (_, Some(path)) => Policy::load(path).map_err(|error| self.wrong(&key::AUTH_POLICY_FILE, &error))?,
        };
        Ok(Auth { authenticator, policy, rules })
    }

    fn oidc(&self) -> Result<Oidc, ConfigError> {
        let issuer = self.required(&key::AUTH_OIDC_ISSUER, "oidc")?;
        self.required(&key::AUTH_OIDC_AUDIENCE, "oidc")?;
        let mut options = OidcOptions::new(issuer, self.list(&key::AUTH_OIDC_AUDIENCE).to_vec());
        if let Some(claim) = self.string(&key::AUTH_OIDC_USER_CLAIM) {
            claim.clone_into(&mut options.user_claim);
        }
        if let Some(claim) = self.string(&key::AUTH_OIDC_GROUPS_CLAIM) {
            claim.clone_into(&mut options.groups_claim);
        }
        Oidc::new(options).map_err(|error| self.wrong(&key::AUTH_OIDC_ISSUER, &error))
    }

    /// The TLS configuration, if certificates are set. Requires a Tokio runtime, which polls the files.
    pub fn tls(&self) -> Result<Option<Arc<ServerConfig>>, ConfigError> {
        match (self.path(&key::TLS_CERT), self.path(&key::TLS_KEY)) {
            (None, None) => Ok(None),
            (Some(certificate), Some(private)) => {
                tls::server_config(certificate, private).map(Some).map_err(|error| self.wrong(&key::TLS_CERT, &error))
            }
            (Some(_), None) => Err(self.wrong(&key::TLS_CERT, &"tls.key is required as well")),
            (None, Some(_)) => Err(self.wrong(&key::TLS_KEY, &"tls.cert is required as well")),
        }
    }

    fn required(&self, setting: &Setting, mode: &str) -> Result<&str, ConfigError> {
        let reason = format!("mode {mode} requires {}", setting.key);
        self.string(setting).ok_or_else(|| self.wrong(&key::AUTH_MODE, &reason))
    }

    /// An error at the place where the setting was set.
    fn wrong(&self, setting: &Setting, reason: &dyn fmt::Display) -> ConfigError {
        let origin = self.find(setting).map_or(Origin::Default, |value| value.origin.clone());
        ConfigError::new(origin.to_string(), reason.to_string())
    }

    fn count(&self, setting: &Setting) -> usize {
        usize::try_from(self.number(setting)).unwrap_or(usize::MAX)
    }
}

/// Whether the URL can be parsed, and a password with `/` is not taken for a path, which would be logged.
fn is_url_of_collector(endpoint: &str) -> bool {
    reqwest::Url::parse(endpoint).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && ![url.path(), url.query().unwrap_or_default(), url.fragment().unwrap_or_default()]
                .iter()
                .any(|part| part.contains('@'))
    })
}
