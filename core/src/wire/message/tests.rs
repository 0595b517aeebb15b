extern crate std;

use std::string::String;
use std::vec::Vec;
use std::{format, vec};

use proptest::prelude::*;

use super::*;
use crate::auth::{Key, Keys, Method};
use crate::config::Encoding;
use crate::limits::{FRAME_BYTES_MAX, GROUP_NAME_BYTES_MAX, NODE_NAME_BYTES_MAX};
use crate::report::Refusal;
use crate::wire::envelope::{Fields, Value, authenticate};
use crate::wire::golden;
use crate::wire::writer::{EmitError, Writer};

const GROUP: &str = "IPaddr2::10.8.0.1/24/eth2";

fn keys() -> Keys {
    Keys::new(2, [(2, Key::new(Method::Sha1, b"secret").unwrap())]).unwrap()
}

fn status(status: NodeStatus) -> Body<'static> {
    Body::Status {
        status,
        deadtime: Some(Duration::from_millis(4000)),
        protocol: true,
    }
}

fn resource(
    hold: Hold,
    full: bool,
    stable: Option<bool>,
    info: Option<&'static str>,
) -> Body<'static> {
    Body::Resource {
        hold: Some(hold),
        full,
        stable,
        info,
    }
}

fn ask(stage: Stage) -> Body<'static> {
    Body::AskResources {
        hold: Hold::All,
        stage,
    }
}

/// What each captured packet says, by the part of its name behind the method.
fn expected(name: &str) -> Body<'static> {
    let (method, rest) = name.split_once('-').unwrap();
    match rest {
        "status-init" => status(NodeStatus::Init),
        "status-active" => status(NodeStatus::Active),
        "status-up" | "longkey-status" => status(NodeStatus::Up),
        "status" if method != "sha1" => status(NodeStatus::Up),
        "reqnodes" => Body::Reqnodes,
        "repnodes" => Body::Repnodes {
            nodes: ["rproxy1", "rproxy2"],
        },
        "starting" => Body::Starting,
        "resource-none-unstable" => resource(Hold::None, true, Some(false), None),
        "resource-local-stable" => resource(Hold::Local, true, Some(true), None),
        "resource-req-our" | "resource" => {
            resource(Hold::Local, true, Some(true), Some("req_our_resources()"))
        }
        "resource-standby" => resource(Hold::None, true, Some(false), Some("standby")),
        "resource-shutdown" => resource(Hold::None, true, Some(false), Some("shutdown")),
        "resource-mach-down" => resource(Hold::Foreign, false, None, Some("mach_down")),
        "ip-request" => Body::IpRequest { group: GROUP },
        "ip-request-resp" => Body::IpRequestResp {
            group: GROUP,
            we_own: true,
            ok: true,
        },
        "ask-me" | "ask-me-ipfail" => ask(Stage::Me),
        "ask-other" => ask(Stage::Other),
        "ask-done" => ask(Stage::Done),
        "hb-takeover" => Body::HbTakeover { hold: Hold::Local },
        "shutdone" => Body::Shutdone,
        "ackmsg" => Body::Ack {
            sequence: match method {
                "md5" => 6,
                "classic" => 4,
                _ => 1,
            },
        },
        "ackmsg-self" => Body::Ack { sequence: 1 },
        "rexmit" => Body::Rexmit {
            first: 97,
            last: 97,
        },
        "nak-rexmit" => Body::NakRexmit { first: 2 },
        "stonith-notconf" | "stonith-unneeded" => Body::Other("stonith"),
        "query-cstatus" => Body::Other("query-cstatus"),
        "respond-cstatus" => Body::Other("respond-cstatus"),
        "clstat-join" => Body::Other("hbapi-clstat"),
        "num-ping-nodes" => Body::Other("num_ping_nodes"),
        "abort-giveup" => Body::Other("abort_giveup"),
        "you-are-dead" => Body::Other("you_are_dead"),
        "ping-NS_st" => Body::Other("NS_st"),
        _ => panic!("{name} is not described"),
    }
}

/// Aim: every captured packet has its meaning, and its sequence rule.
#[test]
fn goldens_have_their_meaning() {
    for golden in golden::all() {
        let fields = authenticate(&golden.bytes, &golden.keys, false).unwrap();
        let message = parse(&fields).unwrap();
        assert_eq!(message.body, expected(&golden.name), "{}", golden.name);
        assert_eq!(message.body.is_sequenced(), message.header.seq.is_some());
    }
}

/// Aim: the header is read completely, numbers in their own radix.
#[test]
fn golden_header() {
    let golden = golden::all()
        .into_iter()
        .find(|golden| golden.name == "sha1-repnodes")
        .unwrap();
    let fields = authenticate(&golden.bytes, &golden.keys, false).unwrap();
    assert_eq!(
        parse(&fields).unwrap().header,
        Header {
            src: "rproxy1",
            src_uuid: Some(0xb5e2_63bc_e16c_466e_bcfa_a3d5_c6a1_33a8_u128.to_be_bytes()),
            dest: Some("rproxy2"),
            dest_uuid: Some(0x994e_aa8d_6dfe_4dbd_ba44_1c76_43ca_f839_u128.to_be_bytes()),
            seq: Some(10),
            generation: 0x6b03_3ada,
            unix_time: 0x6b03_3b78,
            load: Some("0.11 0.10 0.10 1/128 66"),
            ttl: Some(3),
            ..Header::default()
        }
    );
}

/// Aim: what our node sends is byte for byte what the original sends, but for its inner signature.
#[test]
fn goldens_emit_from_messages() {
    let mut equal = 0;
    for golden in golden::all() {
        let fields = authenticate(&golden.bytes, &golden.keys, false).unwrap();
        let message = parse(&fields).unwrap();
        if matches!(message.body, Body::Other(_)) || golden.name == "sha1-ask-me-ipfail" {
            continue;
        }
        let mut frame = [0; FRAME_BYTES_MAX];
        let len = emit(&mut frame, golden.encoding, &golden.keys, &message).unwrap();
        if golden.encoding == Encoding::Classic || golden.name == "netstring-status" {
            assert_eq!(frame[..len], golden.bytes, "{}", golden.name);
        }
        let again = authenticate(&frame[..len], &golden.keys, false).unwrap();
        assert_eq!(
            without_auth(&again),
            without_auth(&fields),
            "{}",
            golden.name
        );
        equal += 1;
    }
    assert_eq!(equal, 51);
}

fn without_auth<'a>(fields: &Fields<'a>) -> Vec<(&'a [u8], Value<'a>)> {
    fields
        .iter()
        .filter(|field| field.name != b"auth")
        .map(|field| (field.name, field.value))
        .collect()
}

/// Aim: our own fields stand behind the original's, with all of their digits.
#[test]
fn own_fields() {
    let message = Message {
        header: Header {
            src: "a",
            seq: Some(1),
            unix_time: 1,
            ttl: Some(3),
            session: Some(0xabc),
            echo: Some(u64::MAX),
            own: Some((Hold::Local, true)),

            resources_digest: Some(0xbeef),
            ..Header::default()
        },
        body: Body::Starting,
    };
    let mut frame = [0; FRAME_BYTES_MAX];
    let len = emit(&mut frame, Encoding::Classic, &keys(), &message).unwrap();
    let text = core::str::from_utf8(&frame[..len]).unwrap();
    let (fields, _auth) = text.split_once("auth=").unwrap();
    assert_eq!(
        fields,
        ">>>\nt=starting\nsrc=a\nseq=1\nhg=0\nts=1\nttl=3\nsid=0000000000000abc\n\
         echo=ffffffffffffffff\nown=local/1\nrsc=0000beef\n"
    );
}

/// Aim: `dest` without a known identity carries the zero one, as the original's does, and that is
/// read as unknown.
#[test]
fn unknown_identity_is_zero() {
    let message = Message {
        header: Header {
            src: "a",
            dest: Some("b"),
            seq: Some(1),
            unix_time: 1,
            ..Header::default()
        },
        body: Body::Reqnodes,
    };
    let mut frame = [0; FRAME_BYTES_MAX];
    let len = emit(&mut frame, Encoding::Netstring, &keys(), &message).unwrap();
    let fields = authenticate(&frame[..len], &keys(), false).unwrap();
    assert_eq!(fields.get("destuuid"), Some(Value::Binary(&[0; 16])));
    assert_eq!(parse(&fields), Ok(message));
}

/// Parses a message made of text fields.
fn read(text: &str) -> Result<String, Refusal> {
    let mut frame = [0; FRAME_BYTES_MAX];
    let mut writer = Writer::new(&mut frame, Encoding::Netstring).unwrap();
    for field in text.split_terminator('|') {
        let (name, value) = field.split_once('=').unwrap();
        writer.text(name, format_args!("{value}")).unwrap();
    }
    let len = writer.finish(&keys()).unwrap();
    let fields = authenticate(&frame[..len], &keys(), false).unwrap();
    parse(&fields).map(|message| format!("{message:?}"))
}

/// Aim: a required field that is missing, or a used one that is unreadable, refuses the message.
#[test]
fn malformed_messages() {
    const GOOD: &str = "src=a|seq=1|ts=1|";
    for bad in [
        "",
        "src=a|seq=1|ts=1|",
        "t=|src=a|seq=1|ts=1|",
        "t=starting|seq=1|ts=1|",
        "t=starting|src=|seq=1|ts=1|",
        "t=starting|src=a|ts=1|",
        "t=starting|src=a|seq=1|",
        "t=starting|src=a|seq=1|ts=0|",
        "t=starting|src=a|seq=x|ts=1|",
        "t=starting|src=a|seq=1|ts=10000000000000000|",
        "t=NS_ackmsg|src=a|ackseq=1|",
    ] {
        assert_eq!(read(bad), Err(Refusal::Malformed), "{bad}");
    }
    for bad in [
        "t=status|",
        "t=status|st=up|dt=|",
        "t=status|st=up|dt=-1|",
        "t=NS_ackmsg|",
        "t=NS_ackmsg|ackseq=x|",
        "t=NS_rexmit|firstseq=1|",
        "t=NS_rexmit|firstseq=a|lastseq=b|",
        "t=NS_rexmit|firstseq=2|lastseq=1|",
        "t=NS_nak_rexmit|",
        "t=repnodes|",
        "t=resource|rsc_hold=some|",
        "t=resource|isstable=2|",
        "t=resource|isstable=|",
        "t=ip-request|",
        "t=ip-request-resp|",
        "t=ask_resources|info=me|",
        "t=ask_resources|rsc_hold=all|",
        "t=ask_resources|rsc_hold=all|info=Me|",
        "t=hb_takeover|",
        "t=starting|own=|",
        "t=starting|own=local|",
        "t=starting|own=local/|",
        "t=starting|own=local/2|",
        "t=starting|own=/1|",
        "t=starting|own=local1|",
        "t=starting|sid=1|",
        "t=starting|sid=00000000000000001|",
        "t=starting|echo=|",
        "t=starting|sid=000000000000000g|",
        "t=starting|rsc=123456789|",
        "t=starting|rsc=+1234567|",
        "t=starting|srcuuid=text|",
        "t=starting|destuuid=|",
        "t=starting|hg=-1|",
    ] {
        assert_eq!(
            read(&format!("{GOOD}{bad}")),
            Err(Refusal::Malformed),
            "{bad}"
        );
    }
}

/// Aim: what the original leaves out or sends besides does not refuse a message.
#[test]
fn tolerated_messages() {
    const GOOD: &str = "src=a|seq=1|ts=1|";
    for good in [
        "t=status|st=up|",
        "t=status|st=ping|",
        "t=status|st=join|dt=nonsense|",
        "t=resource|",
        "t=resource|rtype=other|",
        "t=repnodes|nodelist= |",
        "t=repnodes|nodelist=a b c d |",
        "t=ip-request-resp|ipaddr=x|",
        "t=starting|ttl=many|",
        "t=starting|ttl=999|",
        "t=anything|info=free text|",
        "t=NS_rexmit|firstseq=97|lastseq=98|",
    ] {
        assert!(read(&format!("{GOOD}{good}")).is_ok(), "{good}");
    }
    assert!(read("t=NS_st|src=a|ts=1|").is_ok());
}

/// Aim: the longest messages that a configuration allows fit a frame in both encodings.
#[test]
fn longest_messages_fit() {
    let name = "n".repeat(NODE_NAME_BYTES_MAX);
    let group = "g".repeat(GROUP_NAME_BYTES_MAX);
    let header = Header {
        src: &name,
        src_uuid: Some([1; 16]),
        dest: Some(&name),
        dest_uuid: Some([2; 16]),
        seq: Some(u64::MAX),
        generation: u64::MAX,
        unix_time: u64::MAX,
        load: Some("1000.00 1000.00 1000.00 10000/10000 4194304"),
        ttl: Some(255),
        session: Some(u64::MAX),
        echo: Some(u64::MAX),
        own: Some((Hold::Foreign, true)),
        gave: Some(Hold::Foreign),
        going: Some(Hold::Local),
        probe: Some(0x0123_4567_89ab_cdef),
        resources_digest: Some(u32::MAX),
    };
    let bodies = [
        Body::Repnodes {
            nodes: [&name, &name],
        },
        Body::IpRequestResp {
            group: &group,
            we_own: true,
            ok: true,
        },
    ];
    for body in bodies {
        for encoding in [Encoding::Netstring, Encoding::Classic] {
            let mut frame = [0; FRAME_BYTES_MAX];
            let message = Message { header, body };
            let len = emit(&mut frame, encoding, &keys(), &message).unwrap();
            let short = emit(&mut frame[..len - 1], encoding, &keys(), &message);
            assert_eq!(short, Err(EmitError::TooLong));
        }
    }
}

fn any_hold() -> impl Strategy<Value = Hold> {
    prop::sample::select(vec![Hold::None, Hold::Local, Hold::Foreign, Hold::All])
}

prop_compose! {
    fn any_header()(
        (src_uuid, known, dest) in any::<(Option<[u8; 16]>, bool, bool)>(),
        (seq, generation, unix_time) in any::<(u64, u64, u64)>(),
        (load, ttl) in any::<(bool, Option<u8>)>(),
        (session, echo, digest) in any::<(Option<u64>, Option<u64>, Option<u32>)>(),
        own in proptest::option::of((any_hold(), any::<bool>())),
        gave in proptest::option::of(any_hold()),
        going in proptest::option::of(any_hold()),
        probe in proptest::option::of(any::<u64>()),
    ) -> Header<'static> {
        Header {
            src: "rproxy1",
            src_uuid,
            dest: dest.then_some("rproxy2"),
            dest_uuid: (dest && known).then_some([9; 16]),
            seq: Some(seq),
            generation,
            unix_time: unix_time.max(1),
            load: load.then_some("0.11 0.10 0.10 1/128 66"),
            ttl,
            session,
            echo,
            own,
            gave,
            going,
            probe,
            resources_digest: digest,
        }
    }
}

fn any_body() -> impl Strategy<Value = Body<'static>> {
    let words = prop::sample::select(vec![
        NodeStatus::Init,
        NodeStatus::Up,
        NodeStatus::Active,
        NodeStatus::Dead,
    ]);
    let stages = prop::sample::select(vec![Stage::Me, Stage::Other, Stage::Done]);
    prop_oneof![
        (words, any::<Option<u32>>(), any::<bool>()).prop_map(|(status, millis, protocol)| {
            Body::Status {
                status,
                deadtime: millis.map(|millis| Duration::from_millis(millis.into())),
                protocol,
            }
        }),
        any::<u64>().prop_map(|sequence| Body::Ack { sequence }),
        (any::<u64>(), any::<u64>()).prop_map(|(a, b)| Body::Rexmit {
            first: a.min(b),
            last: a.max(b),
        }),
        any::<u64>().prop_map(|first| Body::NakRexmit { first }),
        (any::<bool>(), any::<bool>()).prop_map(|(we_own, ok)| Body::IpRequestResp {
            group: GROUP,
            we_own,
            ok,
        }),
        (
            proptest::option::of(any_hold()),
            any::<bool>(),
            any::<Option<bool>>(),
            any::<bool>()
        )
            .prop_map(|(hold, full, stable, info)| Body::Resource {
                hold,
                full,
                stable,
                info: info.then_some("mach_down"),
            }),
        (any_hold(), stages).prop_map(|(hold, stage)| Body::AskResources { hold, stage }),
        any_hold().prop_map(|hold| Body::HbTakeover { hold }),
        prop::sample::select(vec![
            Body::Reqnodes,
            Body::Repnodes {
                nodes: ["rproxy1", "rproxy2"],
            },
            Body::Starting,
            Body::Shutdone,
            Body::IpRequest { group: GROUP },
            Body::Other("stonith"),
        ]),
    ]
}

proptest! {
    /// Aim: every message we can say is understood as it was meant, in both encodings.
    #[test]
    fn round_trip(header in any_header(), body in any_body()) {
        let message = Message { header, body };
        for encoding in [Encoding::Netstring, Encoding::Classic] {
            let mut frame = [0; FRAME_BYTES_MAX];
            let len = emit(&mut frame, encoding, &keys(), &message).unwrap();
            let fields = authenticate(&frame[..len], &keys(), false).unwrap();
            prop_assert_eq!(parse(&fields), Ok(message));
        }
    }
}
