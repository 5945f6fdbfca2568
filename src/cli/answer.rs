//! What a command answers: for a program, for a person, and for the shell.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::cli::problem::{Exit, Problem};
use crate::cli::redact::redact;

/// The answer to a command.
pub(super) struct Answer {
    value: Value,
    text: String,
    exit: Exit,
}

impl Answer {
    pub(super) fn new(value: impl Serialize, text: impl Into<String>) -> Result<Self, Problem> {
        let value = serde_json::to_value(value);
        let value = value.map_err(|error| Problem::new("internal", error.to_string()))?;
        Ok(Self {
            value,
            text: text.into(),
            exit: Exit::Done,
        })
    }

    /// The same, with another end than done.
    pub(super) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// Prints what came of a command, and gives how it ended.
pub(super) fn print(ended: Result<Answer, Problem>, as_json: bool) -> Exit {
    match ended {
        Ok(answer) => {
            let text = match as_json {
                true => pretty(&answer.value),
                false => answer.text,
            };
            match write(&mut io::stdout().lock(), &text) {
                Ok(()) => answer.exit,
                Err(error) => {
                    let said = format!("error: the answer could not be written: {error}");
                    let _ = write(&mut io::stderr().lock(), &said);
                    Exit::Failed
                }
            }
        }
        Err(problem) => {
            let text = match as_json {
                true => pretty(&problem.to_json()),
                false => problem.to_text(),
            };
            // There is nobody left to tell when this fails.
            let _ = write(&mut io::stderr().lock(), &redact(&text));
            problem.exit()
        }
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Somebody who reads no further, as `head` does, is no failure.
fn write(to: &mut impl Write, text: &str) -> io::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = write!(to, "{text}{end}").and_then(|()| to.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
