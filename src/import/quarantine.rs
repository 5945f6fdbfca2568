//! Where records go that are not imported.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::record::Place;

/// How much of a record is kept.
const KEPT: usize = 64 * 1024;

/// One line of the quarantine.
#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    from: &'a str,
    line: u64,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    /// In place of `raw`, where that is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_hex: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

pub(super) fn write(
    to: &mut dyn Write,
    source: &str,
    place: &Place,
    reason: &str,
    raw: &[u8],
) -> io::Result<()> {
    let cut = raw.len() > KEPT;
    let kept = match std::str::from_utf8(raw) {
        Ok(text) => &raw[..text.floor_char_boundary(KEPT)],
        Err(_) => &raw[..raw.len().min(KEPT)],
    };
    let text = std::str::from_utf8(kept).ok();
    let line = Line {
        source,
        from: &place.from,
        line: place.line,
        reason,
        raw: text,
        raw_hex: text.is_none().then(|| hex(kept)),
        cut,
    };
    serde_json::to_writer(&mut *to, &line)?;
    to.write_all(b"\n")
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
