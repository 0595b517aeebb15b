//! Systole itself, with the article's three files.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;
use systole::demo::lab::Lab;
use systole::demo::sample::Host;

use super::{Contender, DEADTIME, KEEPALIVE};

/// Systole.
pub(crate) struct Systole;

impl Contender for Systole {
    fn name(&self) -> String {
        format!(
            "Systole, keepalive {} ms, deadtime {} ms",
            KEEPALIVE.as_millis(),
            DEADTIME.as_millis()
        )
    }

    fn program(&self) -> &'static str {
        "systole"
    }

    /// The lab has written its files.
    fn install(&self, _: &Lab, _: Host) -> Result<()> {
        Ok(())
    }

    fn daemon(&self, lab: &Lab, host: Host) -> Result<Command> {
        Ok(lab.node(host).systole(&["run"])?)
    }

    fn settled(&self, lab: &Lab, host: Host) -> bool {
        let Some(status) = lab.node(host).status() else {
            return false;
        };
        let is = |pointer, wanted: Value| status.pointer(pointer) == Some(&wanted);
        is("/peer/status", "active".into())
            && is("/stable", true.into())
            && is("/peer/stable", true.into())
    }

    fn standby(&self, lab: &Lab, host: Host) -> Result<()> {
        let output = lab.node(host).run_systole(&["standby", "all"])?;
        ensure!(
            output.status.success(),
            "systole standby: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(())
    }

    fn recall(&self, lab: &Lab) -> Result<()> {
        self.standby(lab, Host::Second)
    }
}
