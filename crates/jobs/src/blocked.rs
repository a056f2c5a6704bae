//! Addresses that are never connected on behalf of a location: metadata servers of clouds and link-local addresses. They issue the
//! credentials of the machine, and a location in a registry is written by others.
//!
//! The rules see addresses, not texts: `http://2852039166/`, `0xa9.254.169.254` and `[::ffff:a9fe:a9fe]` are the same address, and a name
//! is judged by every address that it resolves to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Names of metadata servers, with their subdomains.
const NAMES: [&str; 12] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.azure.com",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "api.metadata.cloud.ibm.com",
    "instance-data",
    "instance-data.ec2.internal",
    "rancher-metadata",
];

/// Metadata servers that are not link-local.
const V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure
    Ipv4Addr::new(100, 88, 222, 5),    // Tencent Cloud
    Ipv4Addr::new(100, 96, 0, 96),     // Volcano Engine
];

/// Prefixes of metadata servers: the segments, and how many of them count.
const V6: [([u16; 8], usize); 3] = [
    ([0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0], 2), // AWS: metadata, identity of pods, names
    ([0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254], 8), // Google Cloud
    ([0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x42], 8), // Scaleway
];

/// The reason why an address is blocked.
const REASON: &str = "is a known cloud metadata or link-local endpoint";

/// Checks an address.
pub fn check_address(address: IpAddr) -> Result<(), String> {
    if is_blocked(address) { Err(format!("host \"{address}\" {REASON}")) } else { Ok(()) }
}

/// Checks the host of a URL.
pub fn check_url(url: &Url) -> Result<(), String> {
    url.host_str().map_or(Ok(()), check_host)
}

/// Checks a host in any spelling: a name, or an address in decimal, hexadecimal, octal or shortened form, in brackets or not, with a
/// port, a user, a zone, dots at the end.
pub fn check_host(host: &str) -> Result<(), String> {
    let blocked = || Err(format!("host \"{host}\" {REASON}"));
    let name = without_port(host.rsplit_once('@').map_or(host, |(_, host)| host));
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.split_once('%').filter(|_| name.contains(':')).map_or(name, |(address, _)| address);
    if let Ok(address) = name.parse::<Ipv6Addr>() {
        return if is_blocked(address.into()) { blocked() } else { Ok(()) };
    }
    let name = name.trim_end_matches('.');
    match Host::parse(name) {
        Ok(Host::Ipv4(address)) if is_blocked(address.into()) => blocked(),
        Ok(Host::Ipv6(address)) if is_blocked(address.into()) => blocked(),
        Ok(Host::Domain(domain)) if is_blocked_name(&domain) => blocked(),
        // Names of buckets may contain what hosts may not.
        Err(_) if is_blocked_name(name) => blocked(),
        _ => Ok(()),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // One colon, or one after the brackets: the others belong to an address.
        Some((name, port)) if !port.contains(']') && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

fn is_blocked_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    NAMES.iter().any(|known| name == *known || name.strip_suffix(known).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether an address is link-local or that of a metadata server, also if it is embedded in an address of IPv6.
pub fn is_blocked(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || V4.contains(&address),
        IpAddr::V6(address) => {
            let segments = address.segments();
            address.is_unicast_link_local()
                || V6.iter().any(|(prefix, count)| segments[..*count] == prefix[..*count])
                || embedded(address).into_iter().any(|address| is_blocked(address.into()))
        }
    }
}

/// The addresses of IPv4 that an address of IPv6 may lead to: mapped, compatible, translated (NAT64), 6to4, ISATAP, Teredo.
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    let last = of(segments[6], segments[7]);
    let mut addresses = match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, ..] => vec![last],
        [0x2002, high, low, ..] => vec![of(high, low)],
        [0x2001, 0, high, low, ..] => vec![of(high, low), Ipv4Addr::from_bits(!last.to_bits())],
        _ => Vec::new(),
    };
    if matches!(segments, [_, _, _, _, 0 | 0x200, 0x5efe, ..]) {
        addresses.push(last);
    }
    addresses
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_metadata_server_is_blocked() {
        for host in [
            "169.254.169.254",
            "169.254.169.254:8080",
            "169.254.169.254.",
            "user@169.254.169.254",
            "user:password@169.254.169.254:80",
            "169.254.42.42",
            "169.254.170.2",
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0xfe.0xa9.0xfe",
            "0251.0376.0251.0376",
            "0251.254.43518",
            "169.254.43518",
            "169.16689662",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "fe80::1%eth0",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]:80",
            "[::169.254.169.254]",
            "[64:ff9b::169.254.169.254]",
            "[2002:a9fe:a9fe::1]",
            "[fe80::5efe:169.254.169.254]",
            "[FD00:EC2::254]:8080",
            "[fd00:0ec2::254]",
            "[fd00:ec2:0::254]",
            "[fd00:ec2::23]",
            "[fd20:ce::254]",
            "[fd00:42::42]",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "METADATA.google.internal.",
            "metadata.google.internal..",
            "metadata.goog",
            "x.metadata.google.internal",
            "metadata",
            "instance-data",
            "metadata.tencentyun.com",
            "１６９.254.169.254",
            "169。254。169。254",
            "%31%36%39.254.169.254",
        ] {
            let error = check_host(host).expect_err(host);
            assert!(error.ends_with("is a known cloud metadata or link-local endpoint"), "{error}");
        }
    }

    #[test]
    fn other_hosts_are_allowed() {
        for host in [
            "10.0.0.1",
            "127.0.0.1",
            "[::1]",
            "169.253.169.254",
            "100.100.100.201",
            "metadata.example.org",
            "my-metadata",
            "my bucket",
            "models",
            "100%done",
            "[fd00:ec3::254]",
            "[fe00::1]",
            "[2002:a00:1::1]",
            "s3.amazonaws.com",
            "",
        ] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
    }

    #[test]
    fn the_host_of_a_url_is_checked() {
        let check = |url: &str| check_url(&url.parse().unwrap());
        assert!(check("http://u@169.254.169.254/").is_err() && check("http://2852039166/").is_err());
        assert_eq!(check("https://example.org/169.254.169.254"), Ok(()));
        assert_eq!(check("data:text/plain,a"), Ok(()));
    }

    proptest! {
        #[test]
        fn each_link_local_address_is_blocked_in_every_form(third in 0_u8..=255, fourth in 0_u8..=255) {
            let address = Ipv4Addr::new(169, 254, third, fourth);
            let bits = address.to_bits();
            let [high, low] = [bits >> 16, bits & 0xffff];
            for host in [
                address.to_string(),
                bits.to_string(),
                format!("{bits:#x}"),
                format!("0{bits:o}"),
                format!("0xa9.254.{}", bits & 0xffff),
                format!("[::ffff:{high:x}:{low:x}]"),
                format!("[64:ff9b::{high:x}:{low:x}]"),
                format!("[2002:{high:x}:{low:x}::]"),
            ] {
                prop_assert!(check_host(&host).is_err(), "{}", host);
            }
        }

        #[test]
        fn an_address_is_blocked_as_a_text_if_and_only_if_it_is_blocked(bits in any::<u32>()) {
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(check_host(&address.to_string()).is_err(), is_blocked(address.into()));
        }
    }
}
