//! What an operator types, and what comes of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::database::{Database, Kind};

/// One of the two programs on a database.
pub(crate) struct Tool {
    program: PathBuf,
    pub(crate) url: String,
    data: Option<PathBuf>,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn url(database: &Database) -> String {
    match database.kind {
        Kind::Sqlite => format!("sqlite://{}", database.url),
        Kind::Postgres | Kind::MySql => database.url.clone(),
    }
}

impl Tool {
    /// The binary `onramp`, which knows no flow.
    pub(crate) fn bare(database: &Database) -> Self {
        Self::at(url(database))
    }

    pub(crate) fn at(url: impl Into<String>) -> Self {
        Self {
            program: env!("CARGO_BIN_EXE_onramp").into(),
            url: url.into(),
            data: None,
        }
    }

    /// The example, which knows the quickstart's flow.
    pub(crate) fn operator(database: &Database, data: &Path) -> Self {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let program = profile.join("examples/operator");
        assert!(
            program.is_file(),
            "{program:?} is not built: run `cargo build --example operator` first"
        );
        Self {
            program,
            url: url(database),
            data: Some(data.to_owned()),
        }
    }

    /// Types a command, words between spaces.
    pub(crate) async fn type_(&self, line: &str) -> Ended {
        self.words(&line.split(' ').collect::<Vec<_>>()).await
    }

    pub(crate) async fn words(&self, words: &[&str]) -> Ended {
        let mut command = Command::new(&self.program);
        for variable in ["ONRAMP_URL", "ONRAMP_PREFIX", "ONRAMP_OPERATOR", "NO_COLOR"] {
            command.env_remove(variable);
        }
        if !self.url.is_empty() {
            command.env("ONRAMP_URL", &self.url);
        }
        if let Some(data) = &self.data {
            command.env("QUICKSTART_DATA", data);
        }
        command.args(words).stdin(Stdio::null());
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
        let ended = ended.await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended {
            code: ended.status.code().unwrap(),
            out: text(ended.stdout),
            err: text(ended.stderr),
        }
    }

    /// Types a command that must end like this, and reads its answer.
    pub(crate) async fn json(&self, line: &str, code: i32) -> Value {
        let ended = self.type_(&format!("{line} --json")).await;
        assert_eq!(ended.code, code, "{line}: {ended:?}");
        let text = if ended.out.is_empty() {
            &ended.err
        } else {
            &ended.out
        };
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{line}: {error}: {ended:?}"))
    }

    /// Types a command that must succeed, and gives the text for people.
    pub(crate) async fn text(&self, line: &str) -> String {
        let ended = self.type_(line).await;
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (0, ""),
            "{line}: {ended:?}"
        );
        assert!(
            !ended.out.contains('\u{1b}'),
            "no colours in a pipe: {ended:?}"
        );
        ended.out
    }
}
