//! Records out of CSV (RFC 4180, and what is commonly made of it).

use std::io::BufRead;
use std::{fmt, mem};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde_json::{Map, Value};

use super::MAX_RECORD_BYTES;
use super::lines::{Line, Lines};
use super::record::{Entry, Place, Record, Unreadable};

/// Over how many lines a quoted text may go.
const MAX_RECORD_LINES: usize = 1_000;

/// Records out of CSV whose first line names the columns. The name is for places only.
///
/// ```
/// use onramp::import::csv;
/// let text = "\u{feff}user,note\r\nu1,\"two\nlines, and a \"\"quote\"\"\"\r\n";
/// let record = csv("users.csv", text.as_bytes()).next().expect("there is one").expect("it is whole");
/// assert_eq!(record.text("note").unwrap(), "two\nlines, and a \"quote\"");
/// ```
pub fn csv<R: BufRead>(name: impl Into<String>, reader: R) -> Csv<R> {
    Csv {
        name: name.into(),
        lines: Lines::new(reader),
        parser: Reader::new(),
        header: Header::Unread,
    }
}

/// Records out of CSV: see [`csv`].
///
/// ```
/// use onramp::import::csv;
/// let mut users = csv("users.csv", "user;age\nu1;42\n".as_bytes()).delimiter(b';');
/// assert_eq!(users.next().expect("there is one").expect("it is whole").parse::<u8>("age").unwrap(), 42);
/// ```
pub struct Csv<R> {
    name: String,
    lines: Lines<R>,
    parser: Reader,
    header: Header,
}

enum Header {
    Unread,
    Names(Vec<String>),
    /// Without names nothing can be read.
    Broken,
}

/// One record as it is written, and what is in it.
struct Split {
    first: u64,
    raw: Vec<u8>,
    fields: Vec<Vec<u8>>,
}

impl<R: BufRead> Csv<R> {
    /// The same with other separators than commas.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.parser = ReaderBuilder::new().delimiter(delimiter).build();
        self
    }

    /// The next record that is not blank; none at the end.
    fn split(&mut self) -> Option<Result<Split, Unreadable>> {
        let first = loop {
            match self.line()? {
                Ok(line) if line.bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => {}
                Ok(line) => break line,
                Err(unreadable) => return Some(Err(unreadable)),
            }
        };
        let number = first.number;
        if first.cut {
            let long = format!("longer than {MAX_RECORD_BYTES} bytes: split it");
            return Some(Err(self.unreadable(number, long, first.bytes)));
        }
        self.parser.reset();
        let mut fields = Fields::default();
        let (mut taken, mut size) = (Vec::new(), 0);
        let mut line = first;
        loop {
            size += line.bytes.len();
            // The last line may lack its end; then a quote that is open would look closed.
            let ends = line.bytes.ends_with(b"\n");
            let end: &[u8] = if ends { b"" } else { b"\n" };
            let read = fields.read(&mut self.parser, &line.bytes, end);
            let rest = read.map(|read| line.bytes.split_off(read.min(line.bytes.len())));
            let (number, cut) = (line.number, false);
            taken.push(line);
            if let Some(rest) = rest {
                // Lines may end in a carriage return alone.
                let more = rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
                let rest = more.then_some(Line {
                    number,
                    bytes: rest,
                    cut,
                });
                self.lines.give_back(rest.into_iter());
                return Some(Ok(Split {
                    first: taken.first().map_or(number, |line| line.number),
                    raw: taken.into_iter().flat_map(|line| line.bytes).collect(),
                    fields: fields.done(),
                }));
            }
            line = match self.lines.next() {
                Ok(Some(next))
                    if !next.cut
                        && size + next.bytes.len() <= MAX_RECORD_BYTES
                        && taken.len() < MAX_RECORD_LINES =>
                {
                    next
                }
                Ok(next) => return Some(Err(self.unclosed(taken, next))),
                Err(_) => return Some(Err(self.unclosed(taken, None))),
            };
        }
    }

    /// Only the line whose quote is open is lost: what follows it is read again.
    fn unclosed(&mut self, taken: Vec<Line>, next: Option<Line>) -> Unreadable {
        let mut taken = taken.into_iter();
        let first = taken.next();
        self.lines.give_back(taken.chain(next));
        let (number, raw) = first.map_or((0, Vec::new()), |line| (line.number, line.bytes));
        let why = "a quote is opened and not closed: close it, or double it within a text";
        self.unreadable(number, why, raw)
    }

    fn line(&mut self) -> Option<Result<Line, Unreadable>> {
        match self.lines.next() {
            Ok(line) => line.map(Ok),
            Err(error) => {
                let why = format!("it cannot be read on: {error}");
                self.header = Header::Broken;
                Some(Err(self.unreadable(0, why, Vec::new())))
            }
        }
    }

    fn names(&mut self) -> Option<Result<(), Unreadable>> {
        let broken = mem::replace(&mut self.header, Header::Broken);
        if !matches!(broken, Header::Unread) {
            self.header = broken;
            return Some(Ok(()));
        }
        let mut split = match self.split()? {
            Ok(split) => split,
            Err(unreadable) => return Some(Err(unreadable)),
        };
        if let Some(first) = split.fields.first_mut()
            && let Some(after) = first.strip_prefix(BOM)
        {
            *first = after.to_vec();
        }
        let names = split.fields.into_iter().map(String::from_utf8);
        let names = names.map(|name| name.map(|name| name.trim().to_owned()));
        let why = match names.collect::<Result<Vec<_>, _>>() {
            Err(_) => "the header is not UTF-8: convert the file".to_owned(),
            Ok(names) => match twice(&names) {
                Some(name) => format!("the header names {name:?} twice: rename one"),
                None => {
                    self.header = Header::Names(names);
                    return Some(Ok(()));
                }
            },
        };
        Some(Err(self.unreadable(split.first, why, split.raw)))
    }

    fn record(&self, split: Split, names: &[String]) -> Entry {
        let Split { first, raw, fields } = split;
        if fields.len() != names.len() {
            let (found, expected) = (fields.len(), names.len());
            let why = format!(
                "{found} columns, and the header has {expected}: check quotes and separators"
            );
            return Err(self.unreadable(first, why, raw));
        }
        let mut read = Map::new();
        for (name, field) in names.iter().zip(fields) {
            let Ok(text) = String::from_utf8(field) else {
                let why = format!("{name:?} is not UTF-8: convert the file");
                return Err(self.unreadable(first, why, raw));
            };
            read.insert(name.clone(), Value::String(text));
        }
        Ok(Record {
            place: self.place(first),
            fields: Value::Object(read),
            raw,
            strict: true,
            wildcard: None,
        })
    }

    fn place(&self, line: u64) -> Place {
        let from = self.name.clone();
        Place { from, line }
    }

    fn unreadable(&self, line: u64, why: impl Into<String>, raw: Vec<u8>) -> Unreadable {
        Unreadable::new(self.place(line), why, raw)
    }
}

impl<R: BufRead> Iterator for Csv<R> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if let Err(unreadable) = self.names()? {
            return Some(Err(unreadable));
        }
        let Header::Names(names) = mem::replace(&mut self.header, Header::Broken) else {
            return None;
        };
        self.header = Header::Names(Vec::new());
        let entry = self.split().map(|split| self.record(split?, &names));
        if matches!(self.header, Header::Names(_)) {
            self.header = Header::Names(names);
        }
        entry
    }
}

impl<R> fmt::Debug for Csv<R> {
    /// Leaves out what was read ahead.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Csv");
        shown.field("name", &self.name).finish_non_exhaustive()
    }
}

/// What programs put before UTF-8 that is opened with a spreadsheet.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

fn twice(names: &[String]) -> Option<&String> {
    let mut places = names.iter().enumerate();
    let twice = places.find(|(place, name)| names[..*place].contains(name));
    twice.map(|(_, name)| name)
}

/// The fields of a record so far, in the parser's form: the texts one after another, and their ends.
#[derive(Default)]
struct Fields {
    texts: Vec<u8>,
    ends: Vec<usize>,
    written: usize,
    ended: usize,
}

impl Fields {
    /// Takes a line in. Gives how much of it the record takes, when it ends there.
    fn read(&mut self, parser: &mut Reader, line: &[u8], end: &[u8]) -> Option<usize> {
        let mut read = 0;
        for part in [line, end] {
            let mut part = part;
            // No input at all would tell the parser that this is the end.
            while !part.is_empty() {
                // It writes no more than it reads.
                self.texts.resize(self.written + part.len() + 1, 0);
                self.ends.resize(self.ended + part.len() + 1, 0);
                let texts = &mut self.texts[self.written..];
                let ends = &mut self.ends[self.ended..];
                let (result, took, wrote, ended) = parser.read_record(part, texts, ends);
                read += took;
                self.written += wrote;
                self.ended += ended;
                part = &part[took..];
                if matches!(result, ReadRecordResult::Record | ReadRecordResult::End) {
                    return Some(read);
                }
            }
        }
        None
    }

    fn done(self) -> Vec<Vec<u8>> {
        let mut from = 0;
        let ends = self.ends.into_iter().take(self.ended);
        ends.map(|end| self.texts[mem::replace(&mut from, end)..end].to_vec())
            .collect()
    }
}
