//! Which programs the tests use, and which Debian package brings each.

/// A program that must be on the machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Its name, searched in PATH and the sbin directories.
    pub(crate) program: &'static str,
    /// The Debian package that brings it.
    pub(crate) package: &'static str,
    /// The services that the package would start at boot, and that we leave off.
    pub(crate) services: &'static [&'static str],
    /// Who uses it.
    pub(crate) used_by: &'static str,
    /// Whether only the bench uses it.
    pub(crate) bench: bool,
}

const NEEDS: [Need; 6] = [
    Need {
        program: "ip",
        package: "iproute2",
        services: &[],
        used_by: "tests/netns",
        bench: false,
    },
    Need {
        program: "unshare",
        package: "util-linux",
        services: &[],
        used_by: "tests/netns",
        bench: false,
    },
    Need {
        program: "nginx",
        package: "nginx",
        services: &["nginx"],
        used_by: "tests/netns",
        bench: false,
    },
    Need {
        program: "nft",
        package: "nftables",
        services: &[],
        used_by: "tests/interop",
        bench: false,
    },
    Need {
        program: "keepalived",
        package: "keepalived",
        services: &["keepalived"],
        used_by: "bench",
        bench: true,
    },
    Need {
        program: "cl_status",
        package: "heartbeat",
        services: &["heartbeat", "logd"],
        used_by: "tests/interop, bench",
        bench: false,
    },
];

/// What is needed and not `present`.
pub(crate) fn missing(bench: bool, present: impl Fn(&str) -> bool) -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| (bench || !need.bench) && !present(need.program))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: what is there is never installed again, and the bench's programs only when asked for.
    #[test]
    fn only_what_is_missing() {
        assert!(missing(true, |_| true).is_empty());
        let names = |bench| -> Vec<_> {
            missing(bench, |program| program == "ip")
                .iter()
                .map(|need| need.package)
                .collect()
        };
        assert_eq!(
            names(false),
            ["util-linux", "nginx", "nftables", "heartbeat"]
        );
        assert_eq!(
            names(true),
            ["util-linux", "nginx", "nftables", "keepalived", "heartbeat"]
        );
    }

    /// Aim: no package that starts a daemon can be added without saying which service to leave off.
    #[test]
    fn daemons_name_their_service() {
        for need in &NEEDS {
            let tool = ["iproute2", "util-linux", "nftables"].contains(&need.package);
            assert_eq!(need.services.is_empty(), tool, "{}", need.package);
        }
    }
}
