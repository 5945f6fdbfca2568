//! The ledger: a file outside the database to which every worker process appends, so that what they
//! did can be held against what is stored. Appended lines are never torn or mixed up, and their order
//! is the order in which things happened, whichever process wrote them.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use onramp::{CommandId, Fence, OnboardingId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a worker did.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    /// It was given a lease.
    Claimed { id: OnboardingId, fence: Fence },
    /// It is about to send a checkpoint.
    Sending {
        id: OnboardingId,
        fence: Fence,
        command: CommandId,
    },
    /// It was told that the checkpoint is stored.
    Stored {
        id: OnboardingId,
        command: CommandId,
    },
    /// A task made its effect.
    Made(Effect),
    /// An undo took it back.
    TakenBack(Effect),
}

/// An effect of a task, made or taken back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) key: Uuid,
    pub(crate) id: OnboardingId,
    pub(crate) step: String,
    pub(crate) fence: Fence,
    pub(crate) attempt: u32,
}

pub(crate) struct Ledger(File);

impl Ledger {
    pub(crate) fn append_to(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self(file.unwrap())
    }

    /// Appends a line by one write, which a kill leaves out or lets through.
    pub(crate) fn write(&self, line: &Line) {
        let text = serde_json::to_string(line).unwrap() + "\n";
        (&self.0).write_all(text.as_bytes()).unwrap();
    }
}

pub(crate) fn read(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
