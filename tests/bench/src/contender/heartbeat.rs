//! Heartbeat 3.0.6 with the same three files, in directories of its own.

use core::time::Duration;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use systole::demo::lab::{Lab, Network, SERVICE_ADDRESS, authkeys, write};
use systole::demo::sample::Host;

use super::{Contender, DEADTIME, KEEPALIVE};

/// Where Debian puts it.
pub(super) const PROGRAM: &str = "/usr/libexec/heartbeat/heartbeat";

/// Heartbeat.
pub(crate) struct Heartbeat;

impl Contender for Heartbeat {
    fn name(&self) -> String {
        format!(
            "heartbeat 3.0.6, keepalive {} ms, deadtime {} ms",
            KEEPALIVE.as_millis(),
            DEADTIME.as_millis()
        )
    }

    fn program(&self) -> &'static str {
        "heartbeat"
    }

    fn install(&self, lab: &Lab, host: Host) -> Result<()> {
        let node = lab.node(host);
        let root = node.paths().root.join("heartbeat");
        let config = root.join("ha.d");
        if !config.exists() {
            fs::create_dir_all(&root).with_context(|| root.display().to_string())?;
            let copy = format!(
                "cp -a /etc/ha.d '{0}/ha.d' && cp -a /var/lib/heartbeat '{0}/lib' \
                 && rm -f '{0}/lib/hb_generation' '{0}/lib/hb_uuid' && cp '{1}' '{0}/ha.d/resource.d/nginx'",
                root.display(),
                node.paths().config.join("resource.d/nginx").display()
            );
            node.space()?.run("sh", &["-c", &copy])?;
            write(&config.join("ha.cf"), &ha_cf(lab, host), 0o644)?;
            write(&config.join("haresources"), &haresources(), 0o644)?;
            write(&config.join("authkeys"), &authkeys(), 0o600)?;
        }
        let mount = format!(
            "mount --bind '{0}/ha.d' /etc/ha.d && mount --bind '{0}/lib' /var/lib/heartbeat \
             && mkdir -p /run/lock/subsys /run/resource-agents \
             && install -d -m 750 -o hacluster -g haclient /run/heartbeat /run/heartbeat/ccm \
                /run/heartbeat/crm /run/heartbeat/dopd",
            root.display()
        );
        node.space()?.run("sh", &["-c", &mount])?;
        Ok(())
    }

    fn daemon(&self, lab: &Lab, host: Host) -> Result<Command> {
        let mut command = lab.node(host).space()?.command(PROGRAM);
        command.arg("-f");
        Ok(command)
    }

    fn settled(&self, lab: &Lab, host: Host) -> bool {
        let Ok(space) = lab.node(host).space() else {
            return false;
        };
        let ask = |args: &[&str]| space.run("cl_status", args).unwrap_or_default();
        ask(&["nodestatus", host.peer().name()]).trim() == "active"
            && matches!(
                ask(&["rscstatus"]).trim(),
                "local" | "foreign" | "all" | "none"
            )
            && ask(&["hbstatus"]).contains("is running")
    }

    fn standby(&self, lab: &Lab, host: Host) -> Result<()> {
        let space = lab.node(host).space()?;
        space.run("/usr/share/heartbeat/hb_standby", &["all"])?;
        Ok(())
    }

    fn recall(&self, lab: &Lab) -> Result<()> {
        self.standby(lab, Host::Second)
    }

    /// It gives everything ten seconds to start; a peer that dies meanwhile is declared dead seconds late.
    fn warm_up(&self) -> Duration {
        Duration::from_secs(12)
    }

    fn patience(&self) -> Duration {
        Duration::from_mins(1)
    }
}

fn ha_cf(lab: &Lab, host: Host) -> String {
    let log = lab.node(host).paths().root.join("heartbeat.log");
    let private = Network::Private.interface();
    let links = Host::BOTH
        .map(|host| format!("ucast {private} {}\n", Network::Private.address(host)))
        .concat();
    let [first, second] = Host::BOTH;
    format!(
        "logfile {}\n\
         keepalive {}ms\n\
         deadtime {}ms\n\
         warntime 250ms\n\
         initdead 10\n\
         udpport 695\n\
         {links}auto_failback on\n\
         node {first} {second}\n",
        log.display(),
        KEEPALIVE.as_millis(),
        DEADTIME.as_millis()
    )
}

fn haresources() -> String {
    let interface = Network::Service.interface();
    format!(
        "{} IPaddr2::{SERVICE_ADDRESS}/24/{interface} nginx\n",
        Host::First
    )
}
