//! From fields to a message.

use super::{Body, Header, Message, Stage};
use crate::hold::Hold;
use crate::report::{NodeStatus, Refusal};
use crate::time::Duration;
use crate::wire::envelope::Fields;
use crate::wire::number;

/// Reads the fields of an authenticated message.
///
/// # Errors
/// `Malformed`, when a required field is missing or one that is used here cannot be read.
pub fn parse<'a>(fields: &Fields<'a>) -> Result<Message<'a>, Refusal> {
    read(&Reader(fields)).ok_or(Refusal::Malformed)
}

fn read<'a>(fields: &Reader<'_, 'a>) -> Option<Message<'a>> {
    let body = body(fields)?;
    let header = header(fields)?;
    if body.is_sequenced() && header.seq.is_none() {
        return None;
    }
    Some(Message { header, body })
}

/// Reads single fields. `None` is malformed, `Some(None)` is absent.
struct Reader<'r, 'a>(&'r Fields<'a>);

impl<'a> Reader<'_, 'a> {
    fn text(&self, name: &str) -> Option<Option<&'a str>> {
        self.0
            .get(name)
            .map_or(Some(None), |value| value.text().map(Some))
    }

    fn word<T>(&self, name: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<Option<T>> {
        self.text(name)?
            .map_or(Some(None), |text| parse(text.as_bytes()).map(Some))
    }

    fn hex(&self, name: &str) -> Option<Option<u64>> {
        self.word(name, |text| number(text, 16))
    }

    fn decimal(&self, name: &str) -> Option<Option<u64>> {
        self.word(name, |text| number(text, 10))
    }

    fn hold(&self) -> Option<Option<Hold>> {
        self.word("rsc_hold", Hold::parse)
    }

    fn uuid(&self, name: &str) -> Option<Option<[u8; 16]>> {
        self.0
            .get(name)
            .map_or(Some(None), |value| value.binary().map(Some))
    }

    /// A number of ours, which always has all of its digits.
    fn digits(&self, name: &str, len: usize) -> Option<Option<u64>> {
        self.word(name, |text| {
            (text.len() == len).then(|| number(text, 16)).flatten()
        })
    }
}

fn header<'a>(fields: &Reader<'_, 'a>) -> Option<Header<'a>> {
    Some(Header {
        src: fields.text("src")?.filter(|src| !src.is_empty())?,
        src_uuid: fields.uuid("srcuuid")?,
        dest: fields.text("dest")?,
        dest_uuid: fields.uuid("destuuid")?.filter(|uuid| *uuid != [0; 16]),
        seq: fields.hex("seq")?,
        generation: fields.hex("hg")?.unwrap_or(0),
        unix_time: fields.hex("ts")?.filter(|seconds| *seconds != 0)?,
        load: fields.text("ld")?,
        ttl: fields
            .decimal("ttl")
            .flatten()
            .and_then(|ttl| u8::try_from(ttl).ok()),
        session: fields.digits("sid", 16)?,
        echo: fields.digits("echo", 16)?,
        own: fields.word("own", own)?,
        resources_digest: match fields.digits("rsc", 8)? {
            Some(digest) => Some(u32::try_from(digest).ok()?),
            None => None,
        },
    })
}

fn own(text: &[u8]) -> Option<(Hold, bool)> {
    match *text {
        [ref hold @ .., b'/', stable] => Some((Hold::parse(hold)?, flag(&[stable])?)),
        _ => None,
    }
}

fn flag(text: &[u8]) -> Option<bool> {
    match text {
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    }
}

fn body<'a>(fields: &Reader<'_, 'a>) -> Option<Body<'a>> {
    let kind = fields.text("t")?.filter(|kind| !kind.is_empty())?;
    Some(match kind {
        "status" => match NodeStatus::parse(fields.text("st")??.as_bytes()) {
            Some(status) => Body::Status {
                status,
                deadtime: fields.hex("dt")?.map(Duration::from_millis),
                protocol: fields.0.get("protocol").is_some(),
            },
            None => Body::Other(kind),
        },
        "NS_ackmsg" => Body::Ack {
            sequence: fields.hex("ackseq")??,
        },
        "NS_rexmit" => {
            let (first, last) = (fields.decimal("firstseq")??, fields.decimal("lastseq")??);
            (first <= last).then_some(Body::Rexmit { first, last })?
        }
        "NS_nak_rexmit" => Body::NakRexmit {
            first: fields.hex("firstseq")??,
        },
        "reqnodes" => Body::Reqnodes,
        "repnodes" => {
            let mut names = fields.text("nodelist")??.split_ascii_whitespace();
            Body::Repnodes {
                nodes: [(); 2].map(|()| names.next().unwrap_or("")),
            }
        }
        "starting" => Body::Starting,
        "resource" => Body::Resource {
            hold: fields.hold()?,
            full: fields.text("rtype")? == Some("full"),
            stable: fields.word("isstable", flag)?,
            info: fields.text("info")?,
        },
        "ip-request" => Body::IpRequest {
            group: fields.text("ipaddr")??,
        },
        "ip-request-resp" => Body::IpRequestResp {
            group: fields.text("ipaddr")??,
            we_own: fields.text("weown")? == Some("yes"),
            ok: fields.text("ok")? == Some("OK"),
        },
        "ask_resources" => Body::AskResources {
            hold: fields.hold()??,
            stage: fields.word("info", Stage::parse)??,
        },
        "hb_takeover" => Body::HbTakeover {
            hold: fields.hold()??,
        },
        "shutdone" => Body::Shutdone,
        _ => Body::Other(kind),
    })
}
