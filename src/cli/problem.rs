//! Why a command could not do what it was asked for: what was wrong, where, and what to do.

use serde_json::{Value, json};

use crate::NotDone;
use crate::store::{Error, ErrorKind};

/// How a command ended, for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Done,
    /// Refused, or failed.
    Failed,
    /// The arguments cannot be used.
    Usage,
    /// `doctor` or `verify` found something.
    Found,
}

impl Exit {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Found => 3,
        }
    }
}

/// Why it could not be done.
#[derive(Debug)]
pub(super) struct Problem {
    code: &'static str,
    message: String,
    hint: Option<String>,
    causes: Vec<String>,
    exit: Exit,
}

impl Problem {
    /// Something that is as it is: a refusal, or nothing that was found.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            causes: Vec::new(),
            exit: Exit::Failed,
        }
    }

    /// Arguments that cannot be used.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new("usage", message)
        }
    }

    /// With what to do about it, unless that is said already.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "error": {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "causes": self.causes,
        }})
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = format!("error: {}", self.message);
        for cause in &self.causes {
            text += &format!("\n  because: {cause}");
        }
        if let Some(hint) = &self.hint {
            text += &format!("\n  hint: {hint}");
        }
        text
    }
}

/// The stable name of a kind.
pub(super) fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::InDoubt => "in_doubt",
        ErrorKind::Corrupt => "corrupt",
        ErrorKind::Schema => "schema",
        ErrorKind::Invalid => "invalid",
        _ => "config",
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::new(code(error.kind()), error.to_string());
        let mut next = std::error::Error::source(&error);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some errors repeat their cause in their own words.
            let said = problem.causes.last().unwrap_or(&problem.message);
            if !said.contains(&text) {
                problem.causes.push(text);
            }
            next = cause.source();
        }
        match error.kind() {
            ErrorKind::Unavailable => problem.hint("nothing has changed: try again"),
            ErrorKind::InDoubt => problem.hint("look at it with `journal` before trying again"),
            ErrorKind::Corrupt => {
                problem.hint("nothing has changed; `doctor` and `verify` tell more")
            }
            ErrorKind::Schema => problem.hint("`migrate --dry-run` shows what an update would do"),
            _ => problem,
        }
    }
}

impl From<NotDone> for Problem {
    fn from(not: NotDone) -> Self {
        match not {
            NotDone::Store(error) => error.into(),
            NotDone::Rejected(why) => Self::new("refused", why.to_string())
                .hint("nothing has changed; `status` and `explain` tell where it is"),
            NotDone::Absent => Self::new("absent", not.to_string()),
            // Of orders with an identity or a revision, which this tool does not make.
            _ => Self::new("refused", not.to_string()).hint("nothing has changed"),
        }
    }
}
