//! URLs with several servers of one database, as libpq has them: `postgres://user@db1:5432,db2/models`.

/// A URL for each server.
pub(super) fn urls(url: &str) -> Result<Vec<String>, String> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let hosts = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    let servers: Vec<&str> = url[hosts..end].split(',').collect();
    if servers.len() > 1 && servers.contains(&"") {
        return Err("a host name is empty: separate hosts by one comma, such as db1:5432,db2:5432".to_owned());
    }
    Ok(servers.iter().map(|server| format!("{}{server}{}", &url[..hosts], &url[end..])).collect())
}

/// Removes libpq's `target_session_attrs`: a writable server is always preferred.
pub(super) fn without_session_attributes(url: &str) -> Result<String, String> {
    let Some((address, query)) = url.split_once('?') else { return Ok(url.to_owned()) };
    let mut kept = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("target_session_attrs", value)) => session_attributes(value)?,
            _ => kept.push(parameter),
        }
    }
    Ok(if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) })
}

/// Rejects values that select servers on which nothing can be written.
pub(super) fn session_attributes(value: &str) -> Result<(), String> {
    match value {
        "any" | "read-write" | "primary" | "prefer-primary" => Ok(()),
        other => Err(format!(
            "target_session_attrs={other} does not suit a program that writes: use read-write, or leave it out, which \
             prefers the writable server"
        )),
    }
}

/// The hosts and ports of DSNs, `db1,db2` and `5432` or `5432,5433`.
pub(super) fn hosts_and_ports(hosts: &str, ports: &str) -> Result<Vec<(String, Option<u16>)>, String> {
    let ports: Vec<Option<u16>> = ports
        .split(',')
        .map(|port| match port {
            "" => Ok(None),
            port => port.parse().map(Some).map_err(|_| format!("`port` is not a number: {port}")),
        })
        .collect::<Result<_, _>>()?;
    let hosts: Vec<&str> = hosts.split(',').collect();
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err(format!("{} hosts but {} ports: give one port, or one for each host", hosts.len(), ports.len()));
    }
    let port_of = |index: usize| ports.get(index).or(ports.first()).copied().flatten();
    Ok(hosts.iter().enumerate().map(|(index, host)| ((*host).to_owned(), port_of(index))).collect())
}

/// `db1:5432, db2:5432`
pub(super) fn shown<'a>(hosts: impl Iterator<Item = (&'a str, u16)>) -> String {
    hosts.map(|(host, port)| format!("{host}:{port}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_several_hosts_becomes_one_for_each() {
        assert_eq!(
            urls("postgres://u:p,q@db1:5433,[::1]:5434,db3/models?sslmode=disable").unwrap(),
            [
                "postgres://u:p,q@db1:5433/models?sslmode=disable",
                "postgres://u:p,q@[::1]:5434/models?sslmode=disable",
                "postgres://u:p,q@db3/models?sslmode=disable"
            ]
        );
        assert_eq!(urls("postgres:///models?host=/run").unwrap(), ["postgres:///models?host=/run"]);
        assert!(urls("mysql://u@db1,,db2/models").unwrap_err().contains("a host name is empty"));
    }

    #[test]
    fn a_session_that_cannot_write_is_not_accepted() {
        let url = |attributes: &str| format!("postgres://db/models?sslmode=require&target_session_attrs={attributes}");
        let expected = Ok("postgres://db/models?sslmode=require".to_owned());
        assert_eq!(without_session_attributes(&url("read-write")), expected);
        assert!(without_session_attributes(&url("standby")).unwrap_err().contains("use read-write"));
    }

    #[test]
    fn several_hosts_of_a_dsn_have_one_port_or_one_each() {
        let found = |hosts, ports| hosts_and_ports(hosts, ports).unwrap();
        assert_eq!(found("a,b", "5433"), [("a".to_owned(), Some(5433)), ("b".to_owned(), Some(5433))]);
        assert_eq!(found("a,b", "1,2"), [("a".to_owned(), Some(1)), ("b".to_owned(), Some(2))]);
        assert_eq!(found("a", ""), [("a".to_owned(), None)]);
        assert!(hosts_and_ports("a,b", "1,2,3").unwrap_err().contains("2 hosts but 3 ports"));
    }
}
