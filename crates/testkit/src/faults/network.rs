//! A network namespace of Linux, in which a program runs, and a link to it that loses packets.

use std::io::{self, Write};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::process::geteuid;

use super::run;
use crate::error::Result;

/// A namespace with one link to this machine; deleted when dropped.
///
/// It requires root, as tests have in CI, and `ip` (package iproute2).
#[derive(Debug)]
pub struct NetworkNamespace {
    name: String,
    link: String,
    network: u8,
    /// Rules that drop packets: their selectors.
    rules: Vec<Vec<String>>,
}

impl NetworkNamespace {
    /// Creates a namespace. `None` after a line on standard error if this process is not root or cannot create one.
    pub fn create() -> Result<Option<Self>> {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        let process = std::process::id();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Tests of several processes run at the same time.
        let network = u8::try_from(process % 251).unwrap_or(0).wrapping_add(count);
        let (name, link) = (format!("model-registry-{process}-{count}"), format!("mr{process}x{count}"));
        let is_possible = geteuid().is_root()
            && Command::new("ip").args(["netns", "add", &name]).output().is_ok_and(|done| done.status.success());
        if !is_possible {
            let _ = writeln!(
                io::stderr(),
                "skipped a test with a lossy network: a network namespace requires root and iproute2"
            );
            return Ok(None);
        }
        let namespace = Self { name, link, network, rules: Vec::new() };
        namespace.link_up()?;
        Ok(Some(namespace))
    }

    fn link_up(&self) -> Result<()> {
        let Self { name, link, .. } = self;
        run("ip", &["link", "add", link, "type", "veth", "peer", "name", "inside", "netns", name])?;
        run("ip", &["addr", "add", &format!("{}/30", self.outside()), "dev", link])?;
        run("ip", &["link", "set", link, "up"])?;
        run("ip", &["-n", name, "addr", "add", &format!("{}/30", self.inside()), "dev", "inside"])?;
        run("ip", &["-n", name, "link", "set", "inside", "up"])?;
        run("ip", &["-n", name, "link", "set", "lo", "up"])
    }

    /// The address of this machine, as a program in the namespace sees it.
    pub fn outside(&self) -> String {
        format!("10.213.{}.1", self.network)
    }

    /// The address of the namespace.
    pub fn inside(&self) -> String {
        format!("10.213.{}.2", self.network)
    }

    /// The command that runs a program in the namespace, in front of its path and arguments.
    pub fn prefix(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Drops every packet from a port of this machine to a port in the namespace, or to all.
    pub fn drop_packets(&mut self, from_port: u16, to_port: Option<u16>) -> Result<()> {
        let mut selector: Vec<String> =
            ["to", &self.inside(), "ipproto", "tcp", "sport", &from_port.to_string()].map(str::to_owned).to_vec();
        selector.extend(to_port.into_iter().flat_map(|port| ["dport".to_owned(), port.to_string()]));
        Self::rule("add", &selector)?;
        self.rules.push(selector);
        Ok(())
    }

    /// Ends the loss of packets.
    pub fn pass_packets(&mut self) -> Result<()> {
        for selector in std::mem::take(&mut self.rules) {
            Self::rule("del", &selector)?;
        }
        Ok(())
    }

    fn rule(action: &str, selector: &[String]) -> Result<()> {
        let selector = selector.iter().map(String::as_str);
        let arguments: Vec<&str> = ["rule", action].into_iter().chain(selector).chain(["blackhole"]).collect();
        run("ip", &arguments)
    }
}

impl Drop for NetworkNamespace {
    fn drop(&mut self) {
        let _ = self.pass_packets();
        let _ = run("ip", &["link", "del", &self.link]);
        let _ = run("ip", &["netns", "del", &self.name]);
    }
}
