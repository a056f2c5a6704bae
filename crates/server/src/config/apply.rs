//! Settings into what the rest of this crate takes.

use super::declarations as key;
use super::{ConfigError, Settings};
use crate::health::Health;
use crate::{layers, log, serve};

impl Settings {
    /// Returns the host and port to listen on.
    pub fn listen_address(&self) -> Result<(String, u16), ConfigError> {
        let Some(listen) = self.text(&key::LISTEN) else {
            let host = self.text(&key::HOSTNAME).unwrap_or("localhost").to_owned();
            let port = u16::try_from(self.number(&key::PORT)).expect("checked when it was loaded");
            return Ok((host, port));
        };
        let place = self.find(&key::LISTEN).map(|value| value.origin.to_string()).unwrap_or_default();
        let wrong = || ConfigError::new(&place, format!("`{listen}` is not HOST:PORT"));
        let (host, port) = listen.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        // `:8080` means every address, as in Go.
        let host = if host.is_empty() { "::" } else { host };
        Ok((host.to_owned(), port))
    }

    /// Returns how connections are treated; TLS is added by the caller.
    pub fn serve_options(&self) -> serve::Options {
        serve::Options {
            header_timeout: self.duration(&key::LIMITS_HEADER_TIMEOUT),
            write_timeout: self.duration(&key::LIMITS_WRITE_TIMEOUT),
            max_headers: self.count(&key::LIMITS_MAX_HEADERS),
            // Hyper cannot work with less.
            max_header_bytes: self.size(&key::LIMITS_MAX_HEADER_SIZE).max(8 * 1024),
            max_connections: self.count(&key::LIMITS_MAX_CONNECTIONS),
            drain: self.duration(&key::LIMITS_DRAIN),
            ..serve::Options::default()
        }
    }

    /// Returns how requests are treated.
    pub fn layer_options(&self, health: Health) -> layers::Options {
        layers::Options {
            request_timeout: self.duration(&key::LIMITS_REQUEST_TIMEOUT),
            max_body: self.size(&key::LIMITS_MAX_BODY),
            max_requests: self.count(&key::LIMITS_MAX_REQUESTS),
            cors: layers::Cors::new(self.list(&key::CORS_ORIGINS).iter().cloned()),
            health,
            ..layers::Options::default()
        }
    }

    /// Starts logging, and logs what was noticed while loading.
    pub fn start_log(&self) -> Result<(), ConfigError> {
        let format = match self.text(&key::LOG_FORMAT) {
            Some("text") => log::Format::Text,
            Some("json") => log::Format::Json,
            _ => log::Format::Auto,
        };
        let place = self.find(&key::LOG_LEVEL).map(|value| value.origin.to_string()).unwrap_or_default();
        log::init(self.text(&key::LOG_LEVEL).unwrap_or("info"), format)
            .map_err(|error| ConfigError::new(place, error.to_string()))?;
        self.log_notes();
        Ok(())
    }

    fn count(&self, setting: &super::Setting) -> usize {
        usize::try_from(self.number(setting)).unwrap_or(usize::MAX)
    }
}
