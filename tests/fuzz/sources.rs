//! Importer: whatever became of its files, each record is taken, or set aside as it was.

use std::fs;
use std::sync::Arc;

use onramp::import::{Entry, Import, Imported, Record, Reject, Report, csv, json_files};
use onramp::prelude::*;
use serde_json::Value;

use super::dice::{Dice, Hunt};
use super::mutate;
use crate::support::{Company, Desk, Faults, Paid, Workspace};

const CSV: &str = "\
user,company,invoice,done,started_at,done_at
u1,Acme,inv-1,true,2023-05-01T08:01:00Z,2023-05-02T12:00:00Z
u2,\"Hooli, \"\"the\"\" company\",,f,2023-06-01 09:00:00+02,
u3,Ünï 🦀,inv-3,false,,
";

const JSON: &str = r#"{"user": "u1", "company": "Acme", "invoice": "inv-1", "done": true,
    "started_at": "2023-05-01T08:01:00Z", "done_at": "2023-05-02T12:00:00Z", "a": {"b": [1, null]}}"#;

fn user(record: &Record) -> Result<Imported<Workspace>, Reject> {
    let _ = (
        record.wildcard(),
        record.value("/a/b/0"),
        record.decode::<Company>(),
    );
    let _ = record.maybe_time_utc("started_at");
    let subject = SubjectId::new(record.text("user")?)?;
    let mut imported = Imported::new(TenantId::new("acme")?, subject)
        .started(record.maybe_time("started_at")?)
        .completed(record.maybe_time("done_at")?)
        .complete(record.maybe_flag("done")?.unwrap_or_default());
    if let Some(name) = record.maybe_parse::<String>("company")? {
        imported = imported.answer(Company { name });
    }
    if let Some(invoice) = record.maybe_text("invoice")? {
        let invoice = invoice.to_owned();
        imported = imported.evidence(Paid { invoice });
    }
    Ok(imported)
}

async fn run(entries: impl IntoIterator<Item = Entry>) -> Report {
    let desk = Desk::new(Arc::new(MemoryStore::new()), Faults::default());
    let mut aside = Vec::new();
    let mut import = Import::into(&desk.onramp, "crm")
        .quarantine(&mut aside)
        .map(user);
    let report = import.run(entries).await.unwrap();
    drop(import);
    let lines = aside
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    assert_eq!(lines.count() as u64, report.quarantined);
    let taken = report.completed + report.pending + report.filled + report.unchanged + report.kept;
    assert_eq!(report.read, taken + report.quarantined, "{report}");
    // What was taken is sound.
    for listed in desk.onramp.store().list(None, 99).await.unwrap() {
        let verified = desk.onramp.verify_journal(desk.tenant(), listed.id).await;
        assert!(verified.is_ok(), "{verified:?}");
    }
    report
}

#[test]
fn no_file_stops_an_import() {
    let hunt = Hunt::named("no_file_stops_an_import");
    let whole = hunt.runtime.block_on(run(csv("users.csv", CSV.as_bytes())));
    assert_eq!((whole.read, whole.quarantined), (3, 0), "{whole}");
    let folder = tempfile::tempdir().unwrap();
    hunt.run(async |dice: &mut Dice| {
        let table = mutate::bytes(dice, CSV.as_bytes());
        run(csv("users.csv", &table[..])).await;
        for name in ["p_1.json", "p_2.json"] {
            let text = mutate::json(dice, JSON);
            let text = if dice.once_in(4) {
                mutate::bytes(dice, JSON.as_bytes())
            } else {
                text.into_bytes()
            };
            fs::write(folder.path().join(name), text).unwrap();
        }
        let report = run(json_files(folder.path(), "p_*.json").unwrap()).await;
        assert_eq!(report.read, 2);
    });
}
