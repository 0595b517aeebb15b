//! From a message to signed bytes, with the fields in the original's order.

use super::{Body, Header, Message};
use crate::auth::Keys;
use crate::config::Encoding;
use crate::hold::Hold;
use crate::wire::writer::{EmitError, Writer};

/// Writes and signs a message at the start of a frame; gives its length.
///
/// # Errors
/// When the frame is too short.
pub fn emit(
    frame: &mut [u8],
    encoding: Encoding,
    keys: &Keys,
    message: &Message<'_>,
) -> Result<usize, EmitError> {
    let mut writer = Writer::new(frame, encoding)?;
    body(&mut writer, message)?;
    header(&mut writer, &message.header)?;
    writer.finish(keys)
}

fn text(writer: &mut Writer<'_>, name: &str, value: &str) -> Result<(), EmitError> {
    writer.text(name, format_args!("{value}"))
}

fn optional(writer: &mut Writer<'_>, name: &str, value: Option<&str>) -> Result<(), EmitError> {
    value.map_or(Ok(()), |value| text(writer, name, value))
}

fn hex(writer: &mut Writer<'_>, name: &str, value: u64) -> Result<(), EmitError> {
    writer.text(name, format_args!("{value:x}"))
}

/// The type, `dest`, and what belongs to the type.
fn body(writer: &mut Writer<'_>, message: &Message<'_>) -> Result<(), EmitError> {
    let (body, dest) = (&message.body, message.header.dest);
    let dest_leads = matches!(body, Body::Repnodes { .. });
    if dest_leads {
        optional(writer, "dest", dest)?;
    }
    text(writer, "t", body.kind())?;
    if let Body::NakRexmit { first } = *body {
        hex(writer, "firstseq", first)?;
    }
    if !dest_leads {
        optional(writer, "dest", dest)?;
    }
    match *body {
        Body::Status {
            status,
            deadtime,
            protocol,
        } => {
            text(writer, "st", status.as_str())?;
            if let Some(deadtime) = deadtime {
                hex(writer, "dt", deadtime.as_millis())?;
            }
            optional(writer, "protocol", protocol.then_some("1"))
        }
        Body::Ack { sequence } => hex(writer, "ackseq", sequence),
        // The only sequence numbers in decimal.
        Body::Rexmit { first, last } => {
            writer.text("firstseq", format_args!("{first}"))?;
            writer.text("lastseq", format_args!("{last}"))
        }
        Body::NakRexmit { .. } => text(writer, "info", "seqno too low"),
        Body::Repnodes {
            nodes: [first, second],
        } => {
            writer.text("nodelist", format_args!("{first} {second} "))?;
            text(writer, "delnodelist", " ")
        }
        Body::Resource {
            hold,
            full,
            stable,
            info,
        } => {
            optional(writer, "rsc_hold", hold.map(Hold::as_str))?;
            optional(writer, "rtype", full.then_some("full"))?;
            if let Some(stable) = stable {
                text(writer, "isstable", if stable { "1" } else { "0" })?;
            }
            optional(writer, "info", info)
        }
        Body::IpRequest { group } => text(writer, "ipaddr", group),
        Body::IpRequestResp { group, we_own, ok } => {
            text(writer, "ipaddr", group)?;
            text(writer, "weown", if we_own { "yes" } else { "no" })?;
            text(writer, "ok", if ok { "OK" } else { "no" })
        }
        Body::AskResources { hold, stage } => {
            text(writer, "rsc_hold", hold.as_str())?;
            text(writer, "info", stage.as_str())
        }
        Body::HbTakeover { hold } => text(writer, "rsc_hold", hold.as_str()),
        Body::Shutdone => text(writer, "st", "dead"),
        Body::Reqnodes | Body::Starting | Body::Other(_) => Ok(()),
    }
}

fn header(writer: &mut Writer<'_>, header: &Header<'_>) -> Result<(), EmitError> {
    if header.dest.is_some() {
        writer.binary("destuuid", &header.dest_uuid.unwrap_or_default())?;
    }
    text(writer, "src", header.src)?;
    if let Some(uuid) = header.src_uuid {
        writer.binary("srcuuid", &uuid)?;
    }
    if let Some(seq) = header.seq {
        hex(writer, "seq", seq)?;
    }
    hex(writer, "hg", header.generation)?;
    hex(writer, "ts", header.unix_time)?;
    optional(writer, "ld", header.load)?;
    if let Some(ttl) = header.ttl {
        writer.text("ttl", format_args!("{ttl}"))?;
    }
    if let Some(session) = header.session {
        writer.text("sid", format_args!("{session:016x}"))?;
    }
    if let Some(echo) = header.echo {
        writer.text("echo", format_args!("{echo:016x}"))?;
    }
    if let Some(probe) = header.probe {
        writer.text("probe", format_args!("{probe:016x}"))?;
    }
    if let Some((hold, stable)) = header.own {
        writer.text("own", format_args!("{hold}/{}", u8::from(stable)))?;
    }
    optional(writer, "gave", header.gave.map(Hold::as_str))?;
    optional(writer, "going", header.going.map(Hold::as_str))?;
    if let Some(digest) = header.resources_digest {
        writer.text("rsc", format_args!("{digest:08x}"))?;
    }
    Ok(())
}
