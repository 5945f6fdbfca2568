//! The example's server in a process of its own, on a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::{ConnectOptions, Connection};

use crate::http::{self, Answer};

pub(crate) struct Server {
    folder: tempfile::TempDir,
    process: Child,
    pub(crate) port: u16,
    /// What operators sign in with.
    pub(crate) code: String,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (process, port, code) = run(folder.path(), 0, arguments);
        Self {
            folder,
            process,
            port,
            code,
        }
    }

    /// A power cut.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap(); // SIGKILL
        self.process.wait().unwrap();
    }

    /// On the same folder and the same port, so that open pages find it again.
    pub(crate) fn start_again(&mut self, arguments: &[&str]) {
        let (process, _, code) = run(self.folder.path(), self.port, arguments);
        assert_eq!(code, self.code, "keys are kept");
        self.process = process;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        http::send(self.port, "GET", path, &[], "").unwrap()
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        http::send(self.port, "POST", path, headers, body).unwrap()
    }

    /// Takes a folder of it away.
    pub(crate) fn hide(&self, name: &str) {
        let folder = self.folder.path();
        std::fs::rename(folder.join(name), folder.join("hidden")).unwrap();
    }

    /// Puts it back.
    pub(crate) fn show(&self, name: &str) {
        let folder = self.folder.path();
        std::fs::rename(folder.join("hidden"), folder.join(name)).unwrap();
    }

    /// Does something to its store behind its back.
    pub(crate) fn store(&self, statement: &'static str) {
        let file = self.folder.path().join("service.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut connection = options.connect().await.unwrap();
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    }

    /// How many workspaces there are on disk.
    pub(crate) fn workspaces(&self) -> usize {
        let files = std::fs::read_dir(self.folder.path().join("workspaces")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".db")).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(data: &Path, port: u16, arguments: &[&str]) -> (Child, u16, String) {
    let mut command = Command::new(binary());
    command
        .arg("--data")
        .arg(data)
        .arg("--port")
        .arg(port.to_string());
    command.args(arguments).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let customers = line();
    let port = customers.trim_end_matches('/').rsplit(':').next().unwrap();
    let port = port.parse().unwrap();
    let code = line().rsplit(' ').next().unwrap().to_owned();
    // Whatever else it prints must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (process, port, code)
}

/// The example's binary, which `cargo test` builds beside the tests.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples/saas");
    assert!(
        binary.is_file(),
        "{binary:?} is not built: run `cargo build --example saas` first"
    );
    binary
}
