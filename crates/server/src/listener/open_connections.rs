//! The open connections: how many a server accepts, and which idle ones make room for new ones.
//!
//! Those with a place serve every request. Further ones, fewer of them, serve health probes only.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::task::{AbortHandle, Id};

use super::request_counts::RequestCounts;

/// A connection is closed to make room only after this time without a request.
const LEAST_IDLE: Duration = Duration::from_millis(500);

/// Connections of one kind: those with a place, or those for probes.
pub(super) struct OpenConnections {
    max: usize,
    /// The most connections of one address.
    share: usize,
    /// How long a connection has to be idle before it makes room.
    least_idle: Duration,
    by_task: HashMap<Id, Open>,
    by_peer: HashMap<IpAddr, usize>,
}

struct Open {
    peer: IpAddr,
    requests: RequestCounts,
    task: AbortHandle,
}

impl OpenConnections {
    /// Connections with a place. One address gets three quarters of the places at most, so that others are served whatever it
    /// does.
    pub(super) fn with_place(max: usize) -> Self {
        Self::new(max, (max - max / 4).max(1), LEAST_IDLE)
    }

    /// Connections for probes. One without a request makes room at once: a probe is sent as soon as its connection is open, and
    /// must not be kept out by clients that open connections and send nothing.
    pub(super) fn for_probes(max: usize) -> Self {
        Self::new(max, max, Duration::ZERO)
    }

    fn new(max: usize, share: usize, least_idle: Duration) -> Self {
        Self { max, share, least_idle, by_task: HashMap::new(), by_peer: HashMap::new() }
    }

    /// Whether there is room for a connection from this address, which an idle connection may have to make: the one that has
    /// been idle for the longest.
    pub(super) fn make_room(&mut self, peer: IpAddr) -> bool {
        let peer = network(peer);
        if self.by_peer.get(&peer).is_some_and(|count| *count >= self.share) {
            return self.close_idle(1, |open| open.peer == peer) == 1;
        }
        self.by_task.len() < self.max || self.close_idle(1, |_| true) == 1
    }

    pub(super) fn insert(&mut self, peer: IpAddr, requests: RequestCounts, task: AbortHandle) {
        let peer = network(peer);
        *self.by_peer.entry(peer).or_default() += 1;
        self.by_task.insert(task.id(), Open { peer, requests, task });
    }

    /// Removes a connection that has ended.
    pub(super) fn remove(&mut self, task: Id) {
        let Some(open) = self.by_task.remove(&task) else { return };
        if let Some(count) = self.by_peer.get_mut(&open.peer) {
            *count -= 1;
            if *count == 0 {
                self.by_peer.remove(&open.peer);
            }
        }
    }

    /// Closes up to `most` connections that are idle for the longest; returns how many.
    fn close_idle(&mut self, most: usize, applies: impl Fn(&Open) -> bool) -> usize {
        let idle = self.by_task.values().filter(|open| applies(open)).filter_map(|open| {
            let idle_for = open.requests.idle_for()?;
            (idle_for >= self.least_idle).then(|| (idle_for, open.task.id()))
        });
        let mut idle: Vec<(Duration, Id)> = idle.collect();
        idle.sort_unstable_by_key(|(idle_for, _)| std::cmp::Reverse(*idle_for));
        idle.truncate(most);
        for (_, task) in &idle {
            if let Some(open) = self.by_task.get(task) {
                open.task.abort();
            }
            self.remove(*task);
        }
        idle.len()
    }

    /// As [`Self::close_idle`], of any address.
    pub(super) fn close_longest_idle(&mut self, most: usize) -> usize {
        self.close_idle(most, |_| true)
    }
}

/// The address, or the /64 network of an IPv6 address, which usually belongs to one machine.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn open(connections: &mut OpenConnections, peer: IpAddr) -> RequestCounts {
        let requests = RequestCounts::default();
        let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
        connections.insert(peer, requests.clone(), task);
        requests
    }

    #[tokio::test]
    async fn one_address_leaves_places_for_others() {
        let mut connections = OpenConnections::with_place(4);
        let mut busy = Vec::new();
        for _ in 0..3 {
            assert!(connections.make_room(address(1)));
            busy.push(open(&mut connections, address(1)).guard(false));
        }
        assert!(!connections.make_room(address(1)));
        assert!(connections.make_room(address(2)));
        busy.push(open(&mut connections, address(2)).guard(false));
        assert!(!connections.make_room(address(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_is_idle_for_the_longest_makes_room() {
        let mut connections = OpenConnections::with_place(2);
        let first = open(&mut connections, address(1));
        let _busy = open(&mut connections, address(2)).guard(false);
        assert!(!connections.make_room(address(3)), "idle for too short a time");
        tokio::time::advance(LEAST_IDLE).await;
        assert!(first.idle_for().unwrap() >= LEAST_IDLE);
        assert!(connections.make_room(address(3)));
        assert_eq!(connections.by_task.len(), 1);
        assert!(!connections.by_peer.contains_key(&address(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_for_probes_makes_room_unless_it_has_a_request() {
        let mut connections = OpenConnections::for_probes(2);
        let _probed = open(&mut connections, address(1)).guard(false);
        for _ in 0..10 {
            assert!(connections.make_room(address(1)));
            drop(open(&mut connections, address(1)));
        }
        assert!(connections.make_room(address(1)));
        let _probed_too = open(&mut connections, address(1)).guard(false);
        assert!(!connections.make_room(address(1)));
    }

    #[test]
    fn addresses_of_one_ipv6_network_share() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::2:3".parse().unwrap()));
        assert_ne!(network("2001:db8:0:1::1".parse().unwrap()), network("2001:db8::1".parse().unwrap()));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), address(1));
    }
}
