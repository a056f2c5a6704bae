//! Access to hubs: an allow list of hosts, and no private addresses unless allowed.
//!
//! The resolver passes only checked addresses to the connection, which prevents DNS rebinding; redirects are checked like the
//! first URL. Through a proxy, the proxy resolves the name: only the host is checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::proxies::Proxies;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The hubs that sources may be read from.
#[derive(Clone, Debug)]
pub struct HubAccess {
    /// Allowed hosts; their subdomains are allowed, too.
    pub hosts: Vec<String>,
    /// Allowed hosts of Git repositories, and their subdomains; empty for all.
    pub repository_hosts: Vec<String>,
    /// Whether hubs and repositories may have private addresses, and plain HTTP.
    pub private_addresses: bool,
    /// Proxies that the requests are sent through.
    pub proxies: Proxies,
    /// Time limit of a request.
    pub timeout: Duration,
    /// Pause before a failed request is retried, unless the hub requests another one; doubled at each further retry.
    pub first_pause: Duration,
}

impl Default for HubAccess {
    fn default() -> Self {
        Self {
            hosts: vec!["huggingface.co".to_owned()],
            repository_hosts: Vec::new(),
            private_addresses: false,
            proxies: Proxies::default(),
            timeout: Duration::from_secs(30),
            first_pause: Duration::from_millis(500),
        }
    }
}

impl HubAccess {
    /// Checks a URL. The error names the setting that would allow it.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        let unlisted = |host: &str| format!("the host `{host}` is not an allowed hub: add it to --hub-hosts");
        self.check_url(url, "hubs", Some(&self.hosts), unlisted)
    }

    /// Checks the URL of a Git repository, like that of a hub.
    pub(crate) fn check_repository(&self, url: &Url) -> Result<(), String> {
        let unlisted = |host: &str| format!("repositories of the host `{host}` are not allowed: add it to --git-hosts");
        let hosts = Some(&self.repository_hosts).filter(|hosts| !hosts.is_empty());
        self.check_url(url, "repositories", hosts, unlisted)
    }

    /// `hosts` are the allowed ones; `None` for all.
    fn check_url(
        &self,
        url: &Url,
        what: &str,
        hosts: Option<&Vec<String>>,
        unlisted: impl Fn(&str) -> String,
    ) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        let is_web = url.scheme() == "https" || (url.scheme() == "http" && self.private_addresses);
        if !is_web {
            // Without the rest of the URL, which may contain a password or a signature.
            let scheme = url.scheme();
            return Err(format!(
                "the address {scheme}://{host} is not allowed: {what} need https, or http with --allow-private-hubs"
            ));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let is_known = |known: &String| {
            let known = known.to_ascii_lowercase();
            host == known || host.strip_suffix(&known).is_some_and(|front| front.ends_with('.'))
        };
        if hosts.is_some_and(|hosts| !hosts.iter().any(is_known)) {
            return Err(unlisted(&host));
        }
        match host.parse::<IpAddr>() {
            Ok(address) => self.check_address(address),
            Err(_) => Ok(()),
        }
    }

    /// The allowed addresses of a name; an error if none is allowed.
    fn choose(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let (mut allowed, mut error) = (Vec::new(), None);
        for address in found {
            match self.check_address(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(reason) => error = Some(reason),
            }
        }
        match error {
            Some(reason) if allowed.is_empty() => Err(reason),
            _ => Ok(allowed),
        }
    }

    fn check_address(&self, address: IpAddr) -> Result<(), String> {
        if self.private_addresses || !is_private(address) {
            return Ok(());
        }
        Err(format!("the address {address} is private: set --allow-private-hubs to allow it"))
    }
}

/// Whether an address is local, private, reserved or otherwise not public.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => {
            let segments = address.segments();
            embedded_v4(address).is_some_and(is_private_v4)
                || address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                // Deprecated site-local addresses, and NAT64 inside a network.
                || segments[0] & 0xffc0 == 0xfec0
                || segments[..3] == [0x64, 0xff9b, 1]
        }
    }
}

/// The IPv4 address embedded in an IPv6 address: mapped, compatible, NAT64, or 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., high, low] = address.segments();
    let of = |high: u16, low: u16| Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => of(high, low),
        [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        // Carrier-grade NAT, also used inside clusters.
        || (first == 100 && (64..128).contains(&second))
        // Protocol assignments, and benchmarks of networks.
        || address.octets()[..3] == [192, 0, 0]
        || (first == 198 && (18..20).contains(&second))
        || first >= 240
}

/// Resolves names to allowed addresses only (DNS pinning).
pub(crate) struct CheckedResolver(pub(crate) Arc<HubAccess>);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let access = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            // The administrator chose the proxy, which mostly has a private address.
            let is_proxy = access.proxies.has_host(name.as_str());
            let allowed = if is_proxy { found.collect() } else { access.choose(found)? };
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_with_public_addresses_are_allowed() {
        let access = HubAccess::default();
        let check = |url: &str| access.check(&url.parse().unwrap());
        assert_eq!(check("https://huggingface.co/api"), Ok(()));
        assert_eq!(check("https://cdn-lfs.huggingface.co/x"), Ok(()));
        for wrong in
            ["https://evilhuggingface.co", "http://huggingface.co", "https://169.254.169.254", "file:///etc/passwd"]
        {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        let error = check("http://user:secret@huggingface.co/x?signature=secret").unwrap_err();
        assert!(error.starts_with("the address http://huggingface.co is not allowed"), "{error}");
        let open = HubAccess { hosts: vec!["127.0.0.1".to_owned()], ..HubAccess::default() };
        assert!(open.check(&"https://127.0.0.1/".parse().unwrap()).unwrap_err().contains("--allow-private-hubs"));
    }

    #[tokio::test]
    async fn a_name_resolves_to_allowed_addresses_only() {
        let strict = HubAccess::default();
        let addresses = |addresses: &[&str]| -> Vec<SocketAddr> {
            addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
        };
        let mixed = addresses(&["10.0.0.1", "18.154.63.1", "169.254.169.254", "fe80::1", "2606:4700::1"]);
        let public = addresses(&["18.154.63.1", "2606:4700::1"]);
        assert_eq!(strict.choose(mixed.into_iter()).unwrap(), public);
        let error = strict.choose(addresses(&["127.0.0.1", "fe80::1"]).into_iter()).unwrap_err();
        assert!(error.contains("is private"), "{error}");

        let resolve = async |access: HubAccess| {
            let name: Name = "localhost".parse().unwrap();
            CheckedResolver(Arc::new(access)).resolve(name).await.map(Iterator::collect::<Vec<_>>)
        };
        let error = resolve(HubAccess::default()).await.unwrap_err().to_string();
        assert!(error.contains("--allow-private-hubs"), "{error}");
        let found = resolve(HubAccess { private_addresses: true, ..HubAccess::default() }).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }

    #[test]
    fn private_addresses_are_recognised_in_every_form() {
        for address in [
            "10.1.2.3",
            "127.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "::127.0.0.1",
            "2002:a00:1::1",
            "fec0::1",
            "192.0.0.8",
            "198.18.0.1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["18.154.63.1", "2606:4700::1", "2002:129a:3f01::1", "198.20.0.1"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
