//! Every capacity of the core, each with its reason. A configuration beyond one of them is refused
//! when it is read, with the limit in the message; bytes beyond one of them are refused frames.

/// Links per node. Two networks and two serial lines are a rich set-up; eight leaves room.
pub const LINKS_MAX: usize = 8;

/// Resource groups (lines of haresources). One is usual; a busy pair has a dozen.
pub const GROUPS_MAX: usize = 64;

/// Bytes of a node name: Linux's `HOST_NAME_MAX`.
pub const NODE_NAME_BYTES_MAX: usize = 64;

/// Bytes of a group's name, which is its first resource as written in haresources.
pub const GROUP_NAME_BYTES_MAX: usize = 128;

/// Bytes of one signed message. The original's R1 messages take 200 to 400 bytes; two names of full
/// length, a group name and our own fields stay below this.
pub const FRAME_BYTES_MAX: usize = 1024;

/// Fields of one message. The original's longest R1 message has 17; ours add five.
pub const FIELDS_MAX: usize = 32;

/// Bytes of an authentication key. Longer ones gain nothing: HMAC hashes them to its block size.
pub const KEY_BYTES_MAX: usize = 256;

/// Keys in authkeys: the original's indices are 0 to 15.
pub const KEYS_MAX: usize = 16;

/// Sent messages kept for retransmission. The original asks back at most 250.
pub const HISTORY_MAX: usize = 256;

/// Sequence numbers within which gaps are tracked; a longer gap resets the tracking, as in the
/// original.
pub const SEQUENCE_WINDOW: usize = 256;

/// Messages resent for one request, as in the original.
pub const RESEND_MAX: u64 = 50;

/// Messages waiting to be sent. One of each kind can wait, a newer one replaces it.
pub const OUTBOX_MAX: usize = 16;

/// Reports waiting to be drained. A host that does not drain loses the newest, counted.
pub const REPORTS_MAX: usize = 64;

const _: () = assert!(LINKS_MAX <= u8::MAX as usize, "LinkId is a u8");
const _: () = assert!(GROUPS_MAX <= u8::MAX as usize, "GroupId is a u8");
const _: () = assert!(
    FRAME_BYTES_MAX > 3 * NODE_NAME_BYTES_MAX + GROUP_NAME_BYTES_MAX + 512,
    "the longest message, repnodes or ip-request-resp, fits a frame"
);
