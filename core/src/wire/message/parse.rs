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
    let reader = Reader(fields);
    let message = Message {
        header: header(&reader)?,
        body: body(&reader)?,
    };
    if message.body.is_sequenced() && message.header.seq.is_none() {
        return Err(Refusal::Malformed);
    }
    Ok(message)
}

/// Reads single fields: an absent one is `None`, one that cannot be read is `Malformed`.
struct Reader<'r, 'a>(&'r Fields<'a>);

type Read<T> = Result<Option<T>, Refusal>;

impl<'a> Reader<'_, 'a> {
    fn text(&self, name: &str) -> Read<&'a str> {
        self.0
            .get(name)
            .map(|value| value.text().ok_or(Refusal::Malformed))
            .transpose()
    }

    fn uuid(&self, name: &str) -> Read<[u8; 16]> {
        self.0
            .get(name)
            .map(|value| value.binary().ok_or(Refusal::Malformed))
            .transpose()
    }

    fn word<T>(&self, name: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Read<T> {
        self.text(name)?
            .map(|text| parse(text.as_bytes()).ok_or(Refusal::Malformed))
            .transpose()
    }

    fn hex(&self, name: &str) -> Read<u64> {
        self.word(name, |text| number(text, 16))
    }

    fn decimal(&self, name: &str) -> Read<u64> {
        self.word(name, |text| number(text, 10))
    }

    fn hold(&self) -> Read<Hold> {
        self.word("rsc_hold", Hold::parse)
    }

    /// A number of ours, which always has all of its digits.
    fn digits<T: TryFrom<u64>>(&self, name: &str, len: usize) -> Read<T> {
        self.word(name, |text| {
            let value = number(text, 16).filter(|_| text.len() == len)?;
            T::try_from(value).ok()
        })
    }
}

fn need<T>(field: Option<T>) -> Result<T, Refusal> {
    field.ok_or(Refusal::Malformed)
}

fn header<'a>(fields: &Reader<'_, 'a>) -> Result<Header<'a>, Refusal> {
    Ok(Header {
        src: need(fields.text("src")?.filter(|src| !src.is_empty()))?,
        src_uuid: fields.uuid("srcuuid")?,
        dest: fields.text("dest")?,
        dest_uuid: fields.uuid("destuuid")?.filter(|uuid| *uuid != [0; 16]),
        seq: fields.hex("seq")?,
        generation: fields.hex("hg")?.unwrap_or(0),
        unix_time: need(fields.hex("ts")?.filter(|seconds| *seconds != 0))?,
        load: fields.text("ld")?,
        ttl: fields
            .text("ttl")?
            .and_then(|ttl| u8::try_from(number(ttl.as_bytes(), 10)?).ok()),
        session: fields.digits("sid", 16)?,
        echo: fields.digits("echo", 16)?,
        probe: fields.digits("probe", 16)?,
        own: fields.word("own", own)?,
        gave: fields.word("gave", Hold::parse)?,
        going: fields.word("going", Hold::parse)?,
        resources_digest: fields.digits("rsc", 8)?,
    })
}

fn own(text: &[u8]) -> Option<(Hold, bool)> {
    let (stable, hold) = text.split_last()?;
    Some((Hold::parse(hold.strip_suffix(b"/")?)?, flag(&[*stable])?))
}

fn flag(text: &[u8]) -> Option<bool> {
    match text {
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    }
}

fn body<'a>(fields: &Reader<'_, 'a>) -> Result<Body<'a>, Refusal> {
    let kind = need(fields.text("t")?.filter(|kind| !kind.is_empty()))?;
    Ok(match kind {
        "status" => match NodeStatus::parse(need(fields.text("st")?)?.as_bytes()) {
            Some(status) => Body::Status {
                status,
                deadtime: fields.hex("dt")?.map(Duration::from_millis),
                protocol: fields.0.get("protocol").is_some(),
            },
            None => Body::Other(kind),
        },
        "NS_ackmsg" => Body::Ack {
            sequence: need(fields.hex("ackseq")?)?,
        },
        "NS_rexmit" => {
            // The only sequence numbers in decimal.
            let first = need(fields.decimal("firstseq")?)?;
            let last = need(fields.decimal("lastseq")?)?;
            need((first <= last).then_some(Body::Rexmit { first, last }))?
        }
        "NS_nak_rexmit" => Body::NakRexmit {
            first: need(fields.hex("firstseq")?)?,
        },
        "reqnodes" => Body::Reqnodes,
        "repnodes" => {
            let mut names = need(fields.text("nodelist")?)?.split_ascii_whitespace();
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
            group: need(fields.text("ipaddr")?)?,
        },
        "ip-request-resp" => Body::IpRequestResp {
            group: need(fields.text("ipaddr")?)?,
            we_own: fields.text("weown")? == Some("yes"),
            ok: fields.text("ok")? == Some("OK"),
        },
        "ask_resources" => Body::AskResources {
            hold: need(fields.hold()?)?,
            stage: need(fields.word("info", Stage::parse)?)?,
        },
        "hb_takeover" => Body::HbTakeover {
            // The original's word for a node's own groups, which it then takes for all.
            hold: need(fields.word("rsc_hold", |word| match word {
                b"failback" => Some(Hold::All),
                _ => Hold::parse(word),
            })?)?,
        },
        "shutdone" => Body::Shutdone,
        _ => Body::Other(kind),
    })
}
