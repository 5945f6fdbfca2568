//! Lines of a source, none of which can fill the memory.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::MAX_RECORD_BYTES;

/// A line, with whatever ended it.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
    /// Whether it was longer than what is kept of it.
    pub(super) cut: bool,
}

pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    /// Lines that are to be read again.
    again: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            number: 0,
            again: VecDeque::new(),
        }
    }

    /// Lines that follow next, in this order.
    pub(super) fn give_back(&mut self, lines: impl DoubleEndedIterator<Item = Line>) {
        for line in lines.rev() {
            self.again.push_front(line);
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.again.pop_front() {
            return Ok(Some(line));
        }
        let (mut bytes, mut cut) = (Vec::new(), false);
        loop {
            let read = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(read.len(), |end| end + 1);
            let room = MAX_RECORD_BYTES - bytes.len();
            bytes.extend_from_slice(&read[..taken.min(room)]);
            cut |= taken > room;
            let is_over = end.is_some() || read.is_empty();
            self.reader.consume(taken);
            if is_over {
                break;
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        Ok(Some(Line { number, bytes, cut }))
    }
}
