//! One command a file.

pub(super) mod act;
pub(super) mod bench;
pub(super) mod completions;
pub(super) mod diagram;
pub(super) mod doctor;
pub(super) mod explain;
pub(super) mod funnel;
pub(super) mod import;
pub(super) mod journal;
pub(super) mod list;
pub(super) mod migrate;
pub(super) mod outbox;
pub(super) mod status;
pub(super) mod subject;
pub(super) mod verify;
