//! From the three files to a running daemon.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use systole_core::Node;
use systole_core::config::{Config, ConfigError, Encoding, GroupConfig, Settings};
use systole_core::event::Event;
use systole_core::hold::Side;
use systole_core::id::{GroupId, GroupName, NameError, NodeName};
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::time::Duration;
use thiserror::Error;
use tokio::runtime;

use super::addresses::{Leases, addresses};
use super::keys::KeyReader;
use super::manager::Manager;
use super::view::View;
use super::{Daemon, Signals, Watchdog};
use crate::agent::{Agent, Deadlines, Environment, Places};
use crate::config::render::{Style, render};
use crate::config::{Cluster, LinkConfig, LoadOptions, load};
use crate::control::{Control, ControlError};
use crate::entropy;
use crate::journal::{Journal, JournalError, Sockets};
use crate::link::{LinkError, Links, own_addresses};
use crate::report::Names;
use crate::service_ip::{Lease, ServiceIp, ServiceIpError};
use crate::state::{self, Identity, StateError};
use crate::{agent, clock};

/// How long the last log lines may take.
const FLUSH: core::time::Duration = core::time::Duration::from_secs(1);

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the three files.
    pub config_dir: PathBuf,
    /// This node's name.
    pub node: String,
    /// Generation and uuid, shared with the original.
    pub state_dir: PathBuf,
    /// Control socket and lock.
    pub runtime_dir: PathBuf,
}

/// Why the daemon does not start, or did not stop well.
#[derive(Debug, Error)]
pub enum RunError {
    /// The three files hold errors; they were written to stderr.
    #[error("the configuration in {} has errors (above); `systole check` shows them again", .0.display())]
    Config(PathBuf),
    /// Every link leads to this node itself.
    #[error(
        "no link leads to {peer}: every ucast line of ha.cf names an address of this machine; \
         add the line of {peer}"
    )]
    NoLink {
        /// The other node.
        peer: String,
    },
    /// The core refuses the settings; `check` should have said so.
    #[error("the configuration is not possible: {0}")]
    Settings(#[from] ConfigError),
    /// A name is not possible; `check` should have said so.
    #[error("a name in the configuration is not possible: {0}")]
    Name(#[from] NameError),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// A link cannot be opened.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The kernel does not let us handle addresses.
    #[error(transparent)]
    ServiceIp(#[from] ServiceIpError),
    /// There is no log.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Another daemon runs, or there is no control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It has ended, and something could not be stopped in ten tries.
    #[error(
        "stopped, but a group could not be released and may still run here; the lines above name \
         it. The peer takes over after deadtime: end what is left before"
    )]
    Unreleased,
    /// A file, a directory or the event loop.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reads the three files and runs the daemon until it is told to stop.
///
/// # Errors
/// When it cannot start. Errors in the three files are written to stderr first.
pub fn run(options: &Options) -> Result<(), RunError> {
    let cluster = read_files(options)?;
    // systemd puts a service's stderr into the journal: one copy is enough.
    let terminal = !cluster.log.system || std::env::var_os("JOURNAL_STREAM").is_none();
    let journal = Arc::new(Journal::start(
        &cluster.node,
        &cluster.log,
        &Sockets::default(),
        terminal,
    )?);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async {
        let mut daemon = start(options, cluster, Arc::clone(&journal))
            .await
            .inspect_err(|error| {
                tracing::error!("cannot start: {error}");
            })?;
        daemon.run().await;
        if daemon.holds_something() {
            tracing::error!("{}", RunError::Unreleased);
            return Err(RunError::Unreleased);
        }
        tracing::info!("stopped");
        Ok(())
    });
    journal.flush(FLUSH);
    outcome
}

fn read_files(options: &Options) -> Result<Cluster, RunError> {
    let loaded = load(&options.config_dir, &options.node, &LoadOptions::default());
    let style = Style::of(&io::stderr());
    let text = render(&loaded.diagnostics, &loaded.sources, style);
    // Whoever closed stderr does not want to know; the daemon starts all the same.
    let _ = io::stderr().write_all(text.as_bytes());
    loaded
        .cluster
        .ok_or_else(|| RunError::Config(options.config_dir.clone()))
}

async fn start(
    options: &Options,
    cluster: Cluster,
    journal: Arc<Journal>,
) -> Result<Daemon, RunError> {
    // First, so that a stop during the start also releases what an earlier run has left here.
    let signals = Signals::new()?;
    let control = Control::open(&options.runtime_dir)?;
    let own = own_addresses()?;
    let links = cluster.without_own(&own);
    if links.is_empty() {
        return Err(RunError::NoLink { peer: cluster.peer });
    }
    let opened = Links::open(&links)?;
    let identity = state::open(&options.state_dir)?;
    if identity.repaired {
        tracing::warn!("hb_generation was not readable and was made anew from the time of day");
    }
    let service_ip = ServiceIp::new(&options.runtime_dir, lease(cluster.deadtime))?;
    let left = left_over(&service_ip, &cluster).await?;
    let leases = Leases::new(service_ip.pulse(), &cluster.groups);
    let mut node = node(&cluster, &links, identity)?;
    for group in left {
        node.handle(clock::now(), Event::GroupFound(group));
    }
    let names = names(&cluster, &links);
    let view = View::new(&cluster, &links, &names);
    tracing::info!(
        "systole {} starts as {} with peer {}: keepalive {}, deadtime {}; links: {}, groups: {}",
        env!("CARGO_PKG_VERSION"),
        cluster.node,
        cluster.peer,
        cluster.keepalive,
        cluster.deadtime,
        links.len(),
        cluster.groups.len(),
    );
    let environment = Environment::new(
        &options.config_dir,
        &options.state_dir,
        &cluster.node,
        &cluster.log,
        &cluster.directives,
    );
    let settings = agent::Settings {
        places: Places::new(&options.config_dir),
        environment,
        deadlines: Deadlines::default(),
        addresses: Arc::new(service_ip),
    };
    Ok(Daemon {
        node,
        links: opened,
        agent: Agent::new(cluster.groups, settings)?,
        leases,
        control,
        view,
        names,
        journal,
        signals,
        alarm: clock::Alarm::new()?,
        keys: KeyReader::new(&options.config_dir, cluster.serial_auth),
        manager: Manager::new(std::env::var_os("NOTIFY_SOCKET")),
        watchdog: Watchdog::new(),
        frame: [0; FRAME_BYTES_MAX],
        buffer: [0; FRAME_BYTES_MAX + 1],
        verdict: None,
        stopped: false,
    })
}

/// The lease on which the kernel gets our addresses.
fn lease(deadtime: Duration) -> Option<Lease> {
    let lease = Lease::new(deadtime);
    if lease.is_none() {
        tracing::warn!(
            "deadtime {deadtime} is too short for the kernel to withdraw service addresses by \
             itself (that needs {} or more): if this daemon alone is killed or hangs, its addresses \
             stay here until it is started again, which systemd does at once, while the peer takes \
             over",
            Lease::DEADTIME_MIN
        );
    }
    lease
}

/// The groups of which an earlier run has left an address here. An address that no group names any
/// more is removed: nobody else would ever do so.
async fn left_over(service_ip: &ServiceIp, cluster: &Cluster) -> Result<Vec<GroupId>, RunError> {
    let mut left = Vec::new();
    for address in service_ip.owned().await? {
        let before = left.len();
        let numbered = (0_u8..).map(GroupId).zip(&cluster.groups);
        left.extend(
            numbered
                .filter(|(_, group)| addresses(group).any(|named| named == address))
                .map(|(id, _)| id),
        );
        if left.len() > before {
            continue;
        }
        match service_ip.remove(address).await {
            Ok(_) => tracing::warn!(
                "{address} was here from an earlier run, but haresources does not name it any more; \
                 removed it"
            ),
            Err(error) => tracing::error!(
                "{address} is here from an earlier run, and haresources does not name it any more, \
                 but it could not be removed: {error}"
            ),
        }
    }
    left.sort_unstable();
    left.dedup();
    Ok(left)
}

fn node(cluster: &Cluster, links: &[LinkConfig], identity: Identity) -> Result<Node, RunError> {
    let side = |node: &str| {
        if node == cluster.node {
            Side::Local
        } else {
            Side::Foreign
        }
    };
    let groups = cluster
        .groups
        .iter()
        .map(|group| {
            Ok(GroupConfig {
                name: GroupName::new(&group.name)?,
                side: side(&group.node),
            })
        })
        .collect::<Result<Vec<_>, NameError>>()?;
    let config = Config::new(Settings {
        node: NodeName::new(&cluster.node)?,
        peer: NodeName::new(&cluster.peer)?,
        uuid: identity.uuid,
        generation: identity.generation,
        unix_time: clock::wall().as_secs(),
        keepalive: cluster.keepalive,
        deadtime: cluster.deadtime,
        warntime: cluster.warntime,
        initdead: cluster.initdead,
        auto_failback: cluster.auto_failback,
        ttl: cluster.ttl,
        links: &links.iter().map(encoding).collect::<Vec<_>>(),
        groups: &groups,
        resources_digest: cluster.resources_digest,
        keys: cluster.keys.clone(),
    })?;
    Ok(Node::new(
        config,
        u64::from_le_bytes(entropy::bytes()?),
        clock::now(),
    ))
}

/// What the original sends on such a link.
const fn encoding(link: &LinkConfig) -> Encoding {
    match link {
        LinkConfig::Udp(_) => Encoding::Netstring,
        LinkConfig::Serial(_) => Encoding::Classic,
    }
}

fn names(cluster: &Cluster, links: &[LinkConfig]) -> Names {
    Names {
        node: cluster.node.clone(),
        peer: cluster.peer.clone(),
        links: links.iter().map(LinkConfig::name).collect(),
        groups: cluster
            .groups
            .iter()
            .map(|group| group.name.clone())
            .collect(),
        deadtime: cluster.deadtime,
        warntime: cluster.warntime,
    }
}
