//! Whatever bytes come, nothing panics, and every record is in one of the counts.

use std::fs;

use onramp::import::{Entry, Import, Imported, Record, Reject, Report, csv, json_files};
use onramp::prelude::*;
use onramp::store::MemoryStore;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Company, Desk, Faults, Workspace};

fn map(record: &Record) -> Result<Imported<Workspace>, Reject> {
    let _ = record.maybe_flag("done");
    let _ = record.maybe_time_utc("at");
    let _ = record.value("/a/b");
    let _ = record.decode::<Company>();
    Ok(Imported::new(
        TenantId::new("acme")?,
        SubjectId::new(record.text("user")?)?,
    )
    .started(record.maybe_time("at")?)
    .complete(record.maybe_flag("done")?.unwrap_or_default()))
}

fn imported(entries: impl IntoIterator<Item = Entry>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let desk = Desk::new(std::sync::Arc::new(MemoryStore::new()), Faults::default());
    let mut quarantine = Vec::new();
    let mut import = Import::into(&desk.onramp, "crm")
        .quarantine(&mut quarantine)
        .map(map);
    let report = runtime.block_on(import.run(entries)).unwrap();
    drop(import);
    let lines = quarantine.split(|byte| *byte == b'\n');
    let mut written = 0;
    for line in lines.filter(|line| !line.is_empty()) {
        serde_json::from_slice::<Value>(line).unwrap();
        written += 1;
    }
    assert_eq!(written, report.quarantined);
    report
}

fn all_counted(report: &Report) -> bool {
    let new = report.completed + report.pending;
    report.read == new + report.filled + report.unchanged + report.kept + report.quarantined
}

/// Bytes that mean something to CSV or JSON, and any others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let parts = proptest::sample::select(vec![
        &b"user,done,at\n"[..],
        b"user",
        b"u1",
        b",",
        b"\"",
        b"\"\"",
        b"\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\0",
        b"true",
        b"2024-03-01T10:00:00Z",
        b"{",
        b"}",
        b"[",
        b"\"user\":",
        b"null",
        b"\\ud800",
    ]);
    let some = prop_oneof![
        4 => parts.prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(some, 0..40).prop_map(|parts| parts.concat())
}

fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_bytes_break_the_reading_of_csv(bytes in bytes(), named in any::<bool>(), delimiter in any::<u8>()) {
        let header: &[u8] = if named { b"user,done,at\n" } else { b"" };
        let bytes = [header, &bytes].concat();
        let report = imported(csv("t.csv", &bytes[..]));
        prop_assert!(all_counted(&report), "{:?}", report);
        let _ = csv("t.csv", &bytes[..]).delimiter(delimiter).count();
    }

    #[test]
    fn what_is_quoted_comes_back_as_it_was(
        table in proptest::collection::vec(proptest::collection::vec("[a\",;\r\n é\u{feff}]{0,9}", 3), 0..9),
    ) {
        let lines = table.iter().map(|row| row.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","));
        let text = ["a,b,c".to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\r\n");
        let read = csv("t.csv", text.as_bytes()).map(|entry| {
            let record = entry.unwrap();
            ["a", "b", "c"].map(|name| record.value(name).unwrap().as_str().unwrap().to_owned()).to_vec()
        });
        prop_assert_eq!(read.collect::<Vec<_>>(), table);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_bytes_break_the_reading_of_files(bytes in bytes()) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("p_1.json"), &bytes).unwrap();
        let report = imported(json_files(folder.path(), "p_*.json").unwrap());
        prop_assert_eq!(report.read, 1);
        prop_assert!(all_counted(&report));
    }
}
