//! Everything that can be seen of a secret, and the search for it in there.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::database::{Database, Kind};

/// Keeps whatever is logged, at every level, by every crate.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, record: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        record(&mut line);
        self.0.lock().unwrap().push_str(&format!("{}\n", line.0));
    }
}

struct Line(String);
impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{field}={value} ").unwrap();
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        write!(self.0, "{field}={}", chain(value)).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(|line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        self.note(|line| values.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.note(|line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// An error as it is printed, with its causes, and as `Debug` shows it.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        write!(text, " / {error} / {error:?}").unwrap();
        next = error.source();
    }
    text
}

/// The ways in which a secret may be written: as it is, in hex, in base64 at each of its three places.
pub fn spellings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![secret.to_owned(), hex];
    for skipped in 0..3 {
        let whole = &bytes[skipped..];
        let whole = &whole[..whole.len() / 3 * 3];
        all.push(base64(whole, b'+', b'/'));
        all.push(base64(whole, b'-', b'_'));
    }
    all
}

fn base64(bytes: &[u8], plus: u8, slash: u8) -> String {
    let mut digits: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .collect();
    digits.extend([plus, slash]);
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let bits = (u32::from(three[0]) << 16) | (u32::from(three[1]) << 8) | u32::from(three[2]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(digits[(bits >> shift) as usize & 63]));
        }
    }
    text
}

/// Which of the secrets are in a text, however they are written.
pub fn found(text: &str, secrets: &[String]) -> Vec<String> {
    let lower = text.to_lowercase();
    let is_in = |secret: &&String| {
        let mut spellings = spellings(secret).into_iter();
        spellings
            .any(|spelling| text.contains(&spelling) || lower.contains(&spelling.to_lowercase()))
    };
    secrets.iter().filter(is_in).cloned().collect()
}

/// Everything that is in a database: the bytes of its files, or every column of every table.
pub async fn dump(database: &Database) -> String {
    match database.kind {
        Kind::Sqlite => {
            let mut text = String::new();
            for entry in std::fs::read_dir(database.path().parent().unwrap()).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
            text
        }
        Kind::Postgres => {
            let tables = "SELECT table_name::text FROM information_schema.tables \
                          WHERE table_schema = 'public'";
            let mut text = Vec::new();
            for table in database.texts(tables).await {
                text.extend(
                    database
                        .texts(&format!("SELECT t::text FROM {table} t"))
                        .await,
                );
            }
            text.join("\n")
        }
        Kind::MySql => {
            // In hex, because what is binary there is no text.
            let columns = "SELECT concat('SELECT coalesce(hex(`', column_name, '`), \"\") FROM `', \
                           table_name, '`') FROM information_schema.columns \
                           WHERE table_schema = DATABASE()";
            let mut text = String::new();
            for select in database.texts(columns).await {
                for hex in database.texts(&select).await {
                    text.push_str(&String::from_utf8_lossy(&unhex(&hex)));
                }
            }
            text
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap();
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap())
        .collect()
}
