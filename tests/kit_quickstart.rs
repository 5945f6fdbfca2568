//! The quickstart's own tasks, on real files: whatever crashes, the same workspace is there.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "parts of an example are used, and a test may panic"
)]

#[path = "../examples/quickstart/kill.rs"]
mod kill;
#[path = "../examples/quickstart/platform.rs"]
mod platform;
#[path = "../examples/quickstart/signup.rs"]
mod signup;
#[path = "../examples/quickstart/tasks.rs"]
mod tasks;
#[path = "../examples/quickstart/workspace.rs"]
mod workspace;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use onramp::testing::{Scenario, act, check, crashes};
use platform::Platform;
use signup::Signups;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row};
use tasks::Faults;
use workspace::{ApiKey, Branding, BusinessInfo, PaymentConfirmed, Workspace, flow};

fn scenario() -> Scenario<Workspace> {
    let info: BusinessInfo = serde_json::from_value(serde_json::json!({
        "company_name": "Acme GmbH",
        "contact": "Ada",
        "email": "ada@acme.example",
        "phone": "+4930123456",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "region": "eu",
    }))
    .unwrap();
    let invoice = "inv-1".to_owned();
    let plan = workspace::Plan::Starter;
    Scenario::new()
        .given(act::answer(info))
        .given(act::skip::<_, Branding>())
        .when(act::evidence(PaymentConfirmed { plan, invoice }))
        .then(check::settled::<ApiKey>())
        .then(check::completed())
}

/// Every table of every file with its rows. Of keys, which are random, only whose they are.
async fn picture(data: &Path) -> BTreeMap<String, Vec<String>> {
    let mut files = vec![data.join("platform.db")];
    let workspaces = std::fs::read_dir(data.join("workspaces")).unwrap();
    files.extend(workspaces.map(|entry| entry.unwrap().path()));
    let mut picture = BTreeMap::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        picture.insert(name.clone(), Vec::new());
        let options = SqliteConnectOptions::new().filename(&file);
        let mut database = options.connect().await.unwrap();
        let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'");
        let tables = tables.fetch_all(&mut database).await.unwrap();
        for table in tables.iter().map(|row| row.get::<String, _>(0)) {
            let values = if table == "api_keys" { "key, ''" } else { "*" };
            let sql = format!("SELECT {values} FROM {table} ORDER BY 1");
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql));
            let rows = rows.fetch_all(&mut database).await.unwrap();
            let text = |row: &sqlx::sqlite::SqliteRow| {
                let cells = (0..row.len()).map(|i| row.get::<String, _>(i));
                cells.collect::<Vec<_>>().join(" | ")
            };
            picture.insert(format!("{name}: {table}"), rows.iter().map(text).collect());
        }
    }
    picture
}

#[tokio::test]
async fn the_quickstarts_tasks_survive_every_crash() {
    let begun = Instant::now();
    let nobody = || Signups {
        lines: 0,
        accepted: Vec::new(),
        repeated: 0,
        refused: Vec::new(),
    };
    let found = crashes(&scenario(), async || {
        let data = tempfile::tempdir().unwrap();
        let platform = Platform::open(data.path()).await.unwrap();
        let flow = flow(&platform, Faults::of(&nobody())).unwrap();
        (flow, async move || picture(data.path()).await)
    })
    .await;
    println!(
        "{} runs, {} missed, {:?}",
        found.runs(),
        found.missed(),
        begun.elapsed()
    );
    found.expect_none();
    assert!(found.missed() * 4 < found.runs(), "too few were disturbed");
}
