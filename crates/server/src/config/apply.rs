//! Settings into what the rest of this crate takes.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;

use super::declarations as key;
use super::{ConfigError, Origin, Setting, Settings};
use crate::auth::{Auth, Authenticator, Oidc, OidcOptions, Policy, Role, Rules, TokenFile};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::{layers, log, serve, tls};

/// What runs beside the server; what is left for the collector is sent when it is dropped.
#[must_use]
pub struct Telemetry {
    collector: Option<crate::otlp::Collector>,
}

impl Telemetry {
    /// Sends these numbers to the collector, if there is one; call it when every gauge and counter is added.
    pub fn export(&self, metrics: &Metrics) {
        if let Some(collector) = &self.collector {
            collector.export(metrics);
        }
    }
}

impl Settings {
    /// Returns the host and port to listen on.
    pub fn listen_address(&self) -> Result<(String, u16), ConfigError> {
        let Some(listen) = self.text(&key::LISTEN) else {
            let host = self.text(&key::HOSTNAME).unwrap_or("localhost").to_owned();
            let port = u16::try_from(self.number(&key::PORT)).expect("checked when it was loaded");
            return Ok((host, port));
        };
        let wrong = || self.wrong(&key::LISTEN, &format!("`{listen}` is not HOST:PORT"));
        let (host, port) = listen.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        // `:8080` means every address, as in Go.
        let host = if host.is_empty() { "::" } else { host };
        Ok((host.to_owned(), port))
    }

    /// Returns how connections are treated; [`Settings::tls`] is for the caller to add.
    pub fn serve_options(&self) -> serve::Options {
        serve::Options {
            header_timeout: self.duration(&key::LIMITS_HEADER_TIMEOUT),
            write_timeout: self.duration(&key::LIMITS_WRITE_TIMEOUT),
            max_headers: self.count(&key::LIMITS_MAX_HEADERS),
            // Hyper cannot work with less.
            max_header_bytes: self.size(&key::LIMITS_MAX_HEADER_SIZE).max(8 * 1024),
            max_connections: self.count(&key::LIMITS_MAX_CONNECTIONS),
            drain: self.duration(&key::LIMITS_DRAIN),
            tls: None,
        }
    }

    /// Returns how requests are treated; metrics are for the caller to add.
    pub fn layer_options(&self, health: Health) -> layers::Options {
        layers::Options {
            request_timeout: self.duration(&key::LIMITS_REQUEST_TIMEOUT),
            max_body: self.size(&key::LIMITS_MAX_BODY),
            max_requests: self.count(&key::LIMITS_MAX_REQUESTS),
            cors: layers::Cors::new(self.list(&key::CORS_ORIGINS).iter().cloned()),
            health,
            metrics: None,
            traces: self.text(&key::TELEMETRY_OTLP_ENDPOINT).is_some(),
        }
    }

    /// Starts logging and traces, and logs what was noticed while loading. Keep what comes back until the end.
    pub fn start_log(&self) -> Result<Telemetry, ConfigError> {
        let format = match self.text(&key::LOG_FORMAT) {
            Some("text") => log::Format::Text,
            Some("json") => log::Format::Json,
            _ => log::Format::Auto,
        };
        let (telemetry, layer) = self.traces()?;
        log::init_with(self.text(&key::LOG_LEVEL).unwrap_or("info"), format, layer)
            .map_err(|error| self.wrong(&key::LOG_LEVEL, &error))?;
        self.log_notes();
        Ok(telemetry)
    }

    fn traces(&self) -> Result<(Telemetry, Option<log::ExtraLayer>), ConfigError> {
        let Some(endpoint) = self.text(&key::TELEMETRY_OTLP_ENDPOINT) else {
            return Ok((Telemetry { collector: None }, None));
        };
        let options = crate::otlp::Options {
            endpoint: endpoint.to_owned(),
            service_name: self.text(&key::TELEMETRY_SERVICE_NAME).unwrap_or("model-registry").to_owned(),
            service_version: env!("CARGO_PKG_VERSION"),
            sample_ratio: self.fraction(&key::TELEMETRY_SAMPLE_RATIO),
        };
        let collector = crate::otlp::Collector::start(&options)
            .map_err(|error| self.wrong(&key::TELEMETRY_OTLP_ENDPOINT, &error))?;
        let layer = collector.layer();
        Ok((Telemetry { collector: Some(collector) }, Some(layer)))
    }

    /// Returns how callers are known and what they may do, by the rules given. Needs a runtime.
    pub fn auth(&self, rules: Rules) -> Result<Auth, ConfigError> {
        let authenticator = match self.text(&key::AUTH_MODE) {
            Some("token") => {
                let path = self.required(&key::AUTH_TOKENS_FILE, "token")?;
                let tokens = TokenFile::load(Path::new(path));
                Authenticator::Tokens(tokens.map_err(|error| self.wrong(&key::AUTH_TOKENS_FILE, &error))?)
            }
            Some("oidc") => Authenticator::Oidc(Arc::new(self.oidc()?)),
            _ => Authenticator::Anonymous,
        };
        let policy = match (&authenticator, self.path(&key::AUTH_POLICY_FILE)) {
            (Authenticator::Anonymous, None) => Policy::Everybody(Role::Admin),
            (Authenticator::Anonymous, Some(_)) => {
                let reason = "a policy needs callers that are known: set auth.mode to token or oidc";
                return Err(self.wrong(&key::AUTH_POLICY_FILE, &reason));
            }
            (_, None) => Policy::Everybody(Role::Writer),
            (_, Some(path)) => Policy::load(path).map_err(|error| self.wrong(&key::AUTH_POLICY_FILE, &error))?,
        };
        Ok(Auth { authenticator, policy, rules })
    }

    fn oidc(&self) -> Result<Oidc, ConfigError> {
        let issuer = self.required(&key::AUTH_OIDC_ISSUER, "oidc")?;
        self.required(&key::AUTH_OIDC_AUDIENCE, "oidc")?;
        let mut options = OidcOptions::new(issuer, self.list(&key::AUTH_OIDC_AUDIENCE).to_vec());
        if let Some(claim) = self.text(&key::AUTH_OIDC_USER_CLAIM) {
            claim.clone_into(&mut options.user_claim);
        }
        if let Some(claim) = self.text(&key::AUTH_OIDC_GROUPS_CLAIM) {
            claim.clone_into(&mut options.groups_claim);
        }
        Oidc::new(options).map_err(|error| self.wrong(&key::AUTH_OIDC_ISSUER, &error))
    }

    /// Returns the certificates to serve with, if there are any. Needs a runtime.
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
        let reason = format!("mode {mode} needs {}", setting.key);
        self.text(setting).ok_or_else(|| self.wrong(&key::AUTH_MODE, &reason))
    }

    /// Says what is wrong at the place where the setting was made.
    fn wrong(&self, setting: &Setting, reason: &dyn fmt::Display) -> ConfigError {
        let origin = self.find(setting).map_or(Origin::Default, |value| value.origin.clone());
        ConfigError::new(origin.to_string(), reason.to_string())
    }

    fn count(&self, setting: &Setting) -> usize {
        usize::try_from(self.number(setting)).unwrap_or(usize::MAX)
    }
}
