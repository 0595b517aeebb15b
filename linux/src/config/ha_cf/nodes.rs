//! The nodes of the cluster: exactly two, and this machine is one of them.

use systole_core::id::NodeName;

use super::super::diag::{Diagnostic, File};
use super::super::text::{self, Spanned};
use super::{Line, Reader};

impl Reader<'_> {
    pub(super) fn add_nodes(&mut self, line: &Line<'_>) {
        for word in &line.values {
            let name = match NodeName::new(word.text) {
                Ok(name) => name.as_str().to_owned(),
                Err(error) => {
                    self.misread_node = true;
                    self.error(
                        &word.span,
                        format!("`{}` cannot be a node's name: {error}", word.text),
                        "not a name",
                        "write the name that `uname -n` prints on that node",
                    );
                    continue;
                }
            };
            if let Some(earlier) = self.config.nodes.iter().find(|node| node.value == name) {
                let diagnostic =
                    Diagnostic::warning(File::HaCf, format!("node `{name}` is named twice"))
                        .at(&word.span, "once is enough")
                        .related(&earlier.span, "first named here")
                        .help("remove one of the two");
                self.diagnostics.push(diagnostic);
                continue;
            }
            self.config.nodes.push(Spanned::new(name, &word.span));
        }
    }

    pub(super) fn check_nodes(&mut self, own: &str) {
        let nodes = self.config.nodes.clone();
        let Some(first) = nodes.first() else {
            if self.misread_node {
                return;
            }
            self.diagnostics.push(
                Diagnostic::error(File::HaCf, "no node is named").help(format!(
                    "add a line with both nodes as `uname -n` prints them: `node {own} OTHER`"
                )),
            );
            return;
        };
        if let Some(third) = nodes.get(2) {
            self.error(
                &third.span,
                format!("{} nodes are named, and a cluster has two", nodes.len()),
                "one too many",
                "keep two: haresources knows one node and the other",
            );
        } else if nodes.len() == 1 && !self.misread_node {
            self.error(
                &first.span,
                "only one node is named",
                "the other is missing",
                "add the other node's name, as `uname -n` prints it there",
            );
        }
        if !self.misread_node && !nodes.iter().any(|node| node.value == own) {
            self.own_missing(&nodes, own);
        }
    }

    fn own_missing(&mut self, nodes: &[Spanned<String>], own: &str) {
        let names = || nodes.iter().map(|node| node.value.as_str());
        let short = |name: &'_ str| name.split('.').next().unwrap_or_default().to_owned();
        let near = names()
            .find(|name| short(name) == short(own))
            .or_else(|| text::closest(own, names()));
        let written = nodes.iter().find(|node| Some(node.value.as_str()) == near);
        let Some(shown) = written.or_else(|| nodes.first()) else {
            return;
        };
        let help = match near {
            Some(near) => format!(
                "did you mean this machine by `{near}`? write `{own}` there, on both nodes and \
                 in haresources, or give the machine that name (`hostnamectl set-hostname \
                 {near}`)"
            ),
            None => format!(
                "write `{own}` in place of the name that it replaces, on both nodes and in \
                 haresources; to check the files of another node give its name with `--node`"
            ),
        };
        self.error(
            &shown.span,
            format!(
                "this machine is `{own}`, but ha.cf names only {}",
                text::list(names(), "and")
            ),
            "not this machine",
            help,
        );
    }
}
