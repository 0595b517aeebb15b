//! The configuration of a whole cluster: what the two nodes' files would say.

use systole_core::auth::{Key, Keys, Method};
use systole_core::config::{AutoFailback, Config, Encoding, GroupConfig, Settings};
use systole_core::hold::Side;
use systole_core::id::{GroupName, NodeName};
use systole_core::time::Duration;

use crate::clock::{MILLI, Micros};

/// The names of the two nodes.
pub const NAMES: [&str; 2] = ["rproxy1", "rproxy2"];

/// One node's files.
#[derive(Clone, Debug)]
pub struct NodeSetup {
    /// `keepalive`.
    pub keepalive: Micros,
    /// `deadtime`.
    pub deadtime: Micros,
    /// `warntime`.
    pub warntime: Micros,
    /// `initdead`.
    pub initdead: Micros,
    /// `auto_failback`.
    pub failback: AutoFailback,
    /// The keys of authkeys: number, method, secret. The first one signs.
    pub keys: Vec<(u8, Method, String)>,
    /// The checksum of its haresources.
    pub digest: u32,
    /// `hb_uuid`.
    pub uuid: [u8; 16],
}

/// The whole cluster.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The two nodes.
    pub nodes: [NodeSetup; 2],
    /// The links: name and encoding.
    pub links: Vec<(String, Encoding)>,
    /// The groups: name and the node that haresources prefers.
    pub groups: Vec<(String, usize)>,
}

impl NodeSetup {
    /// keepalive 100ms, warntime 500ms, deadtime 1s, initdead 3s, failback on, one sha1 key.
    #[must_use]
    pub fn new(node: u8) -> Self {
        Self {
            keepalive: 100 * MILLI,
            deadtime: 1_000 * MILLI,
            warntime: 500 * MILLI,
            initdead: 3_000 * MILLI,
            failback: AutoFailback::On,
            keys: vec![(1, Method::Sha1, "open sesame".to_owned())],
            digest: 0x1234_5678,
            uuid: [node + 1; 16],
        }
    }

    /// What its authkeys says.
    ///
    /// # Panics
    /// When the keys make no valid file.
    #[must_use]
    pub fn authkeys(&self) -> Keys {
        let keys = self.keys.iter().map(|(index, method, secret)| {
            let key = Key::new(*method, secret.as_bytes()).expect("a valid key");
            (*index, key)
        });
        let sending = self.keys.first().map_or(0, |(index, ..)| *index);
        Keys::new(sending, keys).expect("a valid authkeys")
    }
}

impl Default for Setup {
    /// Two nodes, one link, one group for each node.
    fn default() -> Self {
        Self {
            nodes: [NodeSetup::new(0), NodeSetup::new(1)],
            links: vec![("eth0".to_owned(), Encoding::Netstring)],
            groups: vec![("10.8.0.1".to_owned(), 0), ("10.8.0.2".to_owned(), 1)],
        }
    }
}

impl Setup {
    /// The configuration of one node for one start of it.
    ///
    /// # Panics
    /// When the set-up is not one the core accepts: the caller made it.
    #[must_use]
    pub fn config(&self, node: usize, generation: u64, unix_time: u64) -> Config {
        let own = &self.nodes[node];
        let name = |index: usize| NodeName::new(NAMES[index]).expect("a valid name");
        let groups: Vec<GroupConfig> = self
            .groups
            .iter()
            .map(|(name, preferred)| GroupConfig {
                name: GroupName::new(name).expect("a valid group name"),
                side: if *preferred == node {
                    Side::Local
                } else {
                    Side::Foreign
                },
            })
            .collect();
        let links: Vec<Encoding> = self.links.iter().map(|(_, encoding)| *encoding).collect();
        Config::new(Settings {
            node: name(node),
            peer: name(1 - node),
            uuid: own.uuid,
            generation,
            unix_time,
            keepalive: Duration::from_micros(own.keepalive),
            deadtime: Duration::from_micros(own.deadtime),
            warntime: Duration::from_micros(own.warntime),
            initdead: Duration::from_micros(own.initdead),
            auto_failback: own.failback,
            ttl: 3,
            links: &links,
            groups: &groups,
            resources_digest: own.digest,
            keys: own.authkeys(),
        })
        .expect("a valid configuration")
    }
}
