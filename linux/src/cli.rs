//! The command line. xtask makes the man pages and completions from it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::control::{Ask, What};
use crate::demo;

/// Exit codes of every command: all is well.
pub const EXIT_OK: u8 = 0;

/// Exit code: it did not work, or `check` found mistakes; stderr says why.
pub const EXIT_FAILURE: u8 = 1;

/// Exit code of `run`: the three files hold errors, so starting again is useless (the original's).
pub const EXIT_CONFIG: u8 = 6;

/// Exit code: the command line cannot be understood.
pub const EXIT_USAGE: u8 = 2;

/// Keeps one service address and the nginx behind it alive on two Linux machines.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "systole",
    version,
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true,
    long_about = "Keeps one service address and the nginx behind it alive on two Linux machines.\n\n\
        Systole is the successor of Linux-HA Heartbeat with haresources: it reads the same three \
        files in /etc/ha.d (ha.cf, haresources, authkeys), speaks the same language on the wire \
        and can share a cluster with a node that still runs the original.",
    after_long_help = "Examples:\n  \
        systole keygen            make /etc/ha.d/authkeys; copy it to the other node\n  \
        systole check             find every mistake in the three files and on this machine\n  \
        systole status --watch    see who holds what, and why\n  \
        systole standby           give everything to the peer, for maintenance\n  \
        systole demo              see a failover without touching this machine\n\n\
        Exit codes: 0 all is well; 1 it did not work, or check found mistakes; 2 wrong usage; \
        6 (run) errors in the three files.\n\
        Called as cl_status, hb_standby or hb_takeover it behaves as the original's tools."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Where ha.cf, haresources, authkeys and resource.d are
    #[arg(long, global = true, value_name = "DIR", default_value = "/etc/ha.d")]
    pub config_dir: PathBuf,

    /// This node's name in ha.cf, instead of what `uname -n` says
    #[arg(long, global = true, value_name = "NAME")]
    pub node: Option<String>,

    /// Where generation and uuid of the node are kept; shared with the original
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "/var/lib/heartbeat"
    )]
    pub state_dir: PathBuf,

    /// Where the control socket is
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = Self::RUNTIME_DIR
    )]
    pub runtime_dir: PathBuf,
}

impl Common {
    /// Where the control socket is unless somebody says otherwise.
    pub const RUNTIME_DIR: &str = "/run/systole";
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground (what the systemd unit does)
    ///
    /// Refuses to start on the mistakes that `check` shows. SIGTERM releases everything, tells the
    /// peer and ends; SIGHUP reads authkeys again and reopens the log files.
    Run,

    /// Check the three files, and this machine, and show every mistake at once
    #[command(
        after_help = "Exit code 1 when there is an error; notes and warnings are not errors."
    )]
    Check {
        /// Look only at the files, not at this machine
        #[arg(long)]
        files_only: bool,
        /// Print JSON, one object per finding
        #[arg(long)]
        json: bool,
    },

    /// Show both nodes, links, groups and the last events
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Show it again every second, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },

    /// Give groups to the peer, and wait until it has them
    #[command(
        after_help = "Examples:\n  systole standby            everything, before maintenance\n  \
            systole standby failback   the peer's own groups go home"
    )]
    Standby {
        /// Which groups
        #[arg(value_enum, default_value_t = Standby::All)]
        what: Standby,
        /// Return as soon as the request is accepted
        #[arg(long)]
        no_wait: bool,
    },

    /// Take groups from the peer, and wait until they are here
    Takeover {
        /// Which groups
        #[arg(value_enum, default_value_t = Takeover::All)]
        what: Takeover,
        /// Return as soon as the request is accepted
        #[arg(long)]
        no_wait: bool,
    },

    /// Write an authkeys file with a random key, mode 600
    #[command(
        after_help = "Both nodes need the same file: copy it, for example with \
        `scp -p /etc/ha.d/authkeys rproxy2:/etc/ha.d/`."
    )]
    Keygen {
        /// The file, or - for stdout [default: authkeys in the configuration directory]
        file: Option<PathBuf>,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },

    /// Show a cluster's life on this machine: two nodes, a client, failovers, measured
    ///
    /// Runs in namespaces of its own and touches nothing outside them.
    Demo(demo::Args),

    /// One process of the demo or of a test; not for use by hand
    #[command(subcommand, hide = true)]
    DemoPart(demo::part::Part),
}

/// What `standby` gives away, seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Standby {
    /// Everything
    All,
    /// The groups that prefer this node
    Local,
    /// The groups that prefer the peer
    Foreign,
    /// The same as foreign
    Failback,
}

/// What `takeover` takes, seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Takeover {
    /// Everything
    All,
    /// The groups that prefer this node
    Local,
    /// The groups that prefer the peer
    Foreign,
}

impl Standby {
    /// The request for the daemon.
    #[must_use]
    pub const fn ask(self) -> Ask {
        let what = match self {
            Self::All => What::All,
            Self::Local => What::Local,
            Self::Foreign | Self::Failback => What::Foreign,
        };
        Ask::Standby { what }
    }
}

impl Takeover {
    /// The request for the daemon.
    #[must_use]
    pub const fn ask(self) -> Ask {
        let what = match self {
            Self::All => What::All,
            Self::Local => What::Local,
            Self::Foreign => What::Foreign,
        };
        Ask::Takeover { what }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Aim: clap finds no contradiction in the definition.
    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// Aim: what administrators type is understood, with the options on either side.
    #[test]
    fn usual_lines() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap();
        let cli = parse("systole --config-dir /tmp/x check --files-only");
        assert!(matches!(
            cli.command,
            Command::Check {
                files_only: true,
                json: false
            }
        ));
        assert_eq!(cli.common.config_dir, PathBuf::from("/tmp/x"));
        let cli = parse("systole standby failback --runtime-dir /tmp/run");
        assert_eq!(cli.common.runtime_dir, PathBuf::from("/tmp/run"));
        let Command::Standby {
            what,
            no_wait: false,
        } = cli.command
        else {
            panic!("{cli:?}")
        };
        assert_eq!(
            what.ask(),
            Ask::Standby {
                what: What::Foreign
            }
        );
        assert!(matches!(
            parse("systole takeover").command,
            Command::Takeover {
                what: Takeover::All,
                ..
            }
        ));
        let error = Cli::try_parse_from(["systole", "takeover", "failback"]).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(EXIT_USAGE));
    }
}
