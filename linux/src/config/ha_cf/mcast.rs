//! The link `mcast`.

use core::net::Ipv4Addr;

use super::super::Medium;
use super::super::text::Word;
use super::{Line, Reader};

impl Reader<'_> {
    pub(super) fn mcast(&mut self, line: &Line<'_>) {
        let link_port = self.ports.take(line);
        self.config.media_lines = self.config.media_lines.saturating_add(1);
        let [interface, group, port, ttl, looped] = line.values.as_slice() else {
            self.error(
                &line.span(),
                "`mcast` takes five values: interface, group, port, ttl and loop",
                &format!("{} given", line.values.len()),
                format!("write for example `mcast eth0 239.0.0.1 {link_port} 1 0`"),
            );
            return;
        };
        let values = (
            self.mcast_value(
                group,
                "multicast group",
                "an IPv4 address from 224.0.0.0 to 239.255.255.255",
                |text| text.parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_multicast),
            ),
            self.mcast_value(port, "UDP port", "a whole number from 1 to 65535", |text| {
                text.parse::<u16>().ok().filter(|port| *port > 0)
            }),
            self.mcast_value(ttl, "ttl", "a whole number from 0 to 4", |text| {
                text.parse::<u8>().ok().filter(|ttl| *ttl <= 4)
            }),
            self.mcast_value(looped, "loop", "0 or 1", |text| match text {
                "0" => Some(false),
                "1" => Some(true),
                _ => None,
            }),
        );
        if let (Some(group), Some(port), Some(ttl), Some(looped)) = values {
            let medium = Medium::Mcast { group, ttl, looped };
            self.add_link(line, interface, Some(medium), port);
        }
    }

    fn mcast_value<T>(
        &mut self,
        word: &Word<'_>,
        what: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(word.text);
        if parsed.is_none() {
            self.error(
                &word.span,
                format!("`{}` cannot be the {what} of `mcast`", word.text),
                &format!("expected {expected}"),
                "`mcast` takes interface, group, port, ttl and loop: `mcast eth0 239.0.0.1 694 1 0`",
            );
        }
        parsed
    }
}
