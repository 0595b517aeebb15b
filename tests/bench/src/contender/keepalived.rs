//! keepalived: `VRRPv3` between the two private addresses; a hand-over is a lowered priority.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use systole::demo::lab::{Lab, Network, SERVICE_ADDRESS};
use systole::demo::sample::Host;

use super::{Contender, KEEPALIVE};

/// Where Debian puts it.
pub(super) const PROGRAM: &str = "/usr/sbin/keepalived";

/// keepalived.
pub(crate) struct Keepalived;

impl Contender for Keepalived {
    fn name(&self) -> String {
        format!("keepalived, advert {} ms", KEEPALIVE.as_millis())
    }

    fn program(&self) -> &'static str {
        "keepalived"
    }

    fn install(&self, lab: &Lab, host: Host) -> Result<()> {
        write(lab, host, "keepalived.conf", &configuration(lab, host))?;
        write(lab, host, "priority", "0\n")
    }

    fn daemon(&self, lab: &Lab, host: Host) -> Result<Command> {
        let mut command = lab.node(host).space()?.command(PROGRAM);
        command
            .args([
                "--dont-fork",
                "--log-console",
                "--log-detail",
                "--no-syslog",
            ])
            .arg("--use-file")
            .arg(file(lab, host, "keepalived.conf"))
            .args(["--pid=/run/keepalived.pid", "--vrrp_pid=/run/vrrp.pid"]);
        Ok(command)
    }

    /// It does not know its peer; its log says what it is.
    fn settled(&self, lab: &Lab, host: Host) -> bool {
        let log = lab.node(host).log();
        let last = log.lines().rev().find_map(|line| {
            let (_, state) = line.split_once("Entering ")?;
            state.split_once(" STATE").map(|(state, _)| state)
        });
        matches!(last, Some("MASTER" | "BACKUP"))
    }

    fn standby(&self, lab: &Lab, host: Host) -> Result<()> {
        write(lab, host, "priority", "-50\n")
    }

    fn recall(&self, lab: &Lab) -> Result<()> {
        write(lab, Host::First, "priority", "0\n")
    }
}

fn file(lab: &Lab, host: Host, name: &str) -> PathBuf {
    lab.node(host).paths().root.join(name)
}

fn write(lab: &Lab, host: Host, name: &str, text: &str) -> Result<()> {
    let path = file(lab, host, name);
    fs::write(&path, text).with_context(|| path.display().to_string())
}

fn configuration(lab: &Lab, host: Host) -> String {
    let script = lab.node(host).paths().config.join("resource.d/nginx");
    let (script, priority_file) = (script.display(), file(lab, host, "priority"));
    let [own, peer] = [host, host.peer()].map(|host| Network::Private.address(host));
    let (private, service) = (Network::Private.interface(), Network::Service.interface());
    let priority = 110 - 10 * host.number();
    let advert = KEEPALIVE.as_secs_f32();
    format!(
        "global_defs {{
    router_id {host}
    script_user root
    vrrp_version 3
}}
track_file handover {{
    file \"{}\"
    weight 1
}}
vrrp_instance service {{
    state BACKUP
    interface {private}
    virtual_router_id 51
    priority {priority}
    advert_int {advert}
    unicast_src_ip {own}
    unicast_peer {{
        {peer}
    }}
    virtual_ipaddress {{
        {SERVICE_ADDRESS}/24 dev {service}
    }}
    track_file {{
        handover
    }}
    notify_master \"{script} start\"
    notify_backup \"{script} stop\"
    notify_fault \"{script} stop\"
    notify_stop \"{script} stop\"
}}
",
        priority_file.display()
    )
}
