//! DSN forms that are not URLs: `key=value` pairs for PostgreSQL and Go's form for MySQL.

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::PgConnectOptions;

use super::{DatabaseUrl, DatabaseUrlError, check_authority, decoded, named, servers, tls};

/// libpq's `key=value` pairs. Values may be quoted with `'`; `\` escapes a character.
pub(super) fn postgres(dsn: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason: String| DatabaseUrlError::Invalid { kind: "PostgreSQL", reason };
    let mut options = PgConnectOptions::new_without_pgpass().application_name("model-registry");
    let mut database = None;
    let pairs = pairs(dsn).map_err(invalid)?;
    let tls = tls::Parameters::read(&pairs).map_err(invalid)?;
    let (mut hosts, mut ports) = (None, String::new());
    let mut previous = String::new();
    for (key, value) in pairs {
        options = match key.as_str() {
            "host" => {
                hosts = Some(value);
                options
            }
            "port" => {
                ports = value;
                options
            }
            "target_session_attrs" => {
                servers::session_attributes(&value).map_err(invalid)?;
                options
            }
            "user" => options.username(&value),
            "password" => options.password(&value),
            "dbname" | "database" => {
                database = Some(value.clone());
                options.database(&value)
            }
            "sslmode" => options.ssl_mode(value.parse().map_err(|_| invalid(format!("unknown `sslmode`: {value}")))?),
            "sslrootcert" => options.ssl_root_cert(value),
            "sslcert" => options.ssl_client_cert(value),
            "sslkey" => options.ssl_client_key(value),
            "application_name" => options.application_name(&value),
            "options" => options.options([("options", value)]),
            // Accepted by Go's driver, without an effect here.
            "connect_timeout" | "TimeZone" | "timezone" | "client_encoding" => options,
            // It may be the rest of the password.
            _ if previous == "password" => {
                let reason = "after `password` follows no known key: write a value with blanks in apostrophes, \
                              password='a b'";
                return Err(invalid(reason.to_owned()));
            }
            other => return Err(invalid(format!("unknown key `{other}`"))),
        };
        previous = key;
    }
    named(database.as_deref(), "PostgreSQL")?;
    if tls.has_root {
        options = check_authority(options);
    }
    let Some(hosts) = hosts else {
        return match servers::hosts_and_ports("", &ports).map_err(invalid)?.as_slice() {
            [(_, Some(port))] => Ok(DatabaseUrl::Postgres(vec![options.port(*port)])),
            _ => Ok(DatabaseUrl::Postgres(vec![options])),
        };
    };
    let servers = servers::hosts_and_ports(&hosts, &ports).map_err(invalid)?;
    let servers = servers.into_iter().map(|(host, port)| {
        let options = options.clone().host(&host);
        port.map_or(options.clone(), |port| options.port(port))
    });
    Ok(DatabaseUrl::Postgres(servers.collect()))
}

fn pairs(dsn: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = dsn.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| "expected key=value pairs".to_owned())?;
        let after = after.trim_start();
        let (quoted, body) = match after.strip_prefix('\'') {
            Some(body) => (true, body),
            None => (false, after),
        };
        let mut value = String::new();
        let mut characters = body.char_indices();
        let mut end = None;
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                '\'' if quoted => {
                    end = Some(at + 1);
                    break;
                }
                character if !quoted && character.is_whitespace() => {
                    end = Some(at);
                    break;
                }
                character => value.push(character),
            }
        }
        if quoted && end.is_none() {
            return Err(format!("the value of `{}` has no closing quote", key.trim()));
        }
        pairs.push((key.trim().to_owned(), value));
        rest = end.map_or("", |end| body[end..].trim_start());
    }
    Ok(pairs)
}

/// Go's form: `[user[:password]@][tcp|unix(address)]/database[?parameters]`.
pub(super) fn mysql(dsn: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason: String| DatabaseUrlError::Invalid { kind: "MySQL", reason };
    // The password may contain any of the separators, so the DSN is split from its end.
    let (address, tail) =
        dsn.rsplit_once('/').ok_or_else(|| invalid("it has no slash before the database name".to_owned()))?;
    let (database, parameters) = match tail.split_once('?') {
        Some((_, parameters)) if parameters.contains('?') => {
            return Err(invalid("the database name must not contain `?`".to_owned()));
        }
        Some((database, parameters)) => (database, parameters),
        None => (tail, ""),
    };
    let database = decoded(database);
    named(Some(&database), "MySQL")?;
    let (credentials, network) = address.rsplit_once('@').unwrap_or(("", address));
    let mut options = MySqlConnectOptions::new().database(&database).charset("utf8mb4");
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    if !user.is_empty() {
        options = options.username(user);
    }
    if !password.is_empty() {
        options = options.password(password);
    }
    let inside = |prefix: &str| network.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    if let Some(path) = inside("unix(") {
        options = options.socket(path);
    } else if let Some(place) = inside("tcp(") {
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (place, "3306"),
        };
        let port = port.parse().map_err(|_| invalid(format!("the port is not a number: {port}")))?;
        options = options.host(host.trim_matches(['[', ']'])).port(port);
    } else if !network.is_empty() {
        return Err(invalid("the address is neither tcp(host:port) nor unix(path)".to_owned()));
    }
    for pair in parameters.split('&') {
        if let Some(("tls", value)) = pair.split_once('=') {
            options = options.ssl_mode(match value {
                "true" => MySqlSslMode::VerifyIdentity,
                "skip-verify" => MySqlSslMode::Required,
                "preferred" => MySqlSslMode::Preferred,
                "false" => MySqlSslMode::Disabled,
                other => return Err(invalid(format!("unknown `tls`: {other}"))),
            });
        }
    }
    Ok(DatabaseUrl::MySql(vec![options]))
}
