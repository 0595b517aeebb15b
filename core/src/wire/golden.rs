//! Packets captured from heartbeat 3.0.6, with what is known about each of them.

extern crate std;

use std::path::PathBuf;
use std::string::{String, ToString as _};
use std::vec::Vec;
use std::{format, fs};

use crate::auth::{Key, Keys, Method};
use crate::config::Encoding;

/// One captured packet.
pub(super) struct Golden {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) keys: Keys,
    /// The fields in order: whether binary, name, value as text or hex digits.
    pub(super) fields: Vec<(bool, String, String)>,
}

/// Every packet of `core/vectors/INDEX.md`.
pub(super) fn all() -> Vec<Golden> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let index = fs::read_to_string(folder.join("INDEX.md")).unwrap();
    let goldens: Vec<Golden> = index
        .lines()
        .filter(|line| line.contains(".bin |"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, file, len, method, index, key, _, _, form, ..] = cells[..] else {
                panic!("unreadable line: {line}");
            };
            let name = file.strip_suffix(".bin").unwrap();
            let bytes = fs::read(folder.join(file)).unwrap();
            assert_eq!(bytes.len().to_string(), len, "{name}");
            let key = match key.trim_matches('`') {
                "-" => "",
                key => key,
            };
            let key = Key::new(Method::parse(method).unwrap(), key.as_bytes()).unwrap();
            let index = index.parse().unwrap();
            let text = fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap();
            Golden {
                name: name.to_string(),
                bytes,
                encoding: match form {
                    "netstring" => Encoding::Netstring,
                    "classic" => Encoding::Classic,
                    _ => panic!("unknown form: {form}"),
                },
                keys: Keys::new(index, [(index, key)]).unwrap(),
                fields: fields(&text),
            }
        })
        .collect();
    assert_eq!(goldens.len(), 61);
    goldens
}

fn fields(text: &str) -> Vec<(bool, String, String)> {
    text.lines()
        .skip_while(|line| !line.starts_with("fields in wire order"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let mut words = line.trim().splitn(2, ' ');
            let binary = words.next().unwrap() == "1";
            let (name, value) = words.next().unwrap().split_once(' ').unwrap();
            let value = value.trim_start();
            let value = match value.strip_prefix("hex ") {
                Some(digits) => digits,
                None => value
                    .strip_prefix('\'')
                    .unwrap()
                    .strip_suffix('\'')
                    .unwrap(),
            };
            (binary, name.to_string(), value.to_string())
        })
        .collect()
}
