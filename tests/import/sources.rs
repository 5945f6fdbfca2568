//! Files as other systems write them: read, never touched, and what is bad in them set aside.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant, SystemTime};

use onramp::import::{Entry, Import, Imported, Record, Reject, csv, json_files, rows};
use onramp::prelude::*;
use onramp::{Onramp, Revision};
use serde_json::{Value, json};

use crate::support::{Company, Desk, Faults, Workspace, each_store};

const PATTERN: &str = ".onboarding_progress*.json";

fn progress(record: &Record) -> Result<Imported<Workspace>, Reject> {
    let file = record.wildcard().unwrap_or_default();
    let subject = SubjectId::new(file.trim_start_matches('_'))?;
    let mut imported = Imported::new(TenantId::new("acme")?, subject)
        .started(record.maybe_time("started_at")?)
        .completed(record.maybe_time("completed_at")?)
        .complete(record.maybe_flag("is_completed")?.unwrap_or(false));
    if let Some(name) = record.maybe_text("/steps/company/data/name")? {
        let name = name.to_owned();
        imported = imported.answer(Company { name });
    }
    Ok(imported)
}

#[tokio::test]
async fn progress_files_are_read_and_stay_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 12] = [
        (
            ".onboarding_progress_a.json",
            br#"{"is_completed": true, "completed_at": "2024-01-02T03:04:05Z"}"#,
        ),
        (
            ".onboarding_progress_b.json",
            br#"{"steps": {"company": {"data": {"name": "Acme"}}}}"#,
        ),
        (
            ".onboarding_progress_c.json",
            b"\xef\xbb\xbf{\"is_completed\": \"yes\"}\r\n",
        ),
        (".onboarding_progress_d.json", br#"{"is_completed": tr"#),
        (".onboarding_progress_e.json", b""),
        (".onboarding_progress_f.json", b"[1, 2]"),
        (".onboarding_progress_g.json", b"{\"name\": \"\xff\"}"),
        (
            ".onboarding_progress_h.json",
            br#"{"is_completed": {"really": true}}"#,
        ),
        (
            ".onboarding_progress_i.json",
            br#"{"steps": {"company": {"data": {"name": "  "}}}}"#,
        ),
        (".onboarding_progress.json", b"{}"),
        ("onboarding_progress_x.json", b"{}"),
        (".onboarding_progress_y.json.bak", b"{}"),
    ];
    let old = SystemTime::now() - Duration::from_secs(86_400);
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
        fs::File::options()
            .write(true)
            .open(folder.path().join(name))
            .unwrap()
            .set_modified(old)
            .unwrap();
    }
    fs::write(
        folder.path().join(".onboarding_progress_j.json"),
        "{\"a\": \"".to_owned() + &"x".repeat(1 << 21),
    )
    .unwrap();
    fs::create_dir(folder.path().join(".onboarding_progress_k.json")).unwrap();

    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let mut quarantine = Vec::new();
        let mut import = Import::into(&desk.onramp, "progress_files")
            .quarantine(&mut quarantine)
            .map(progress);
        let report = import
            .run(json_files(folder.path(), PATTERN).unwrap())
            .await
            .unwrap();
        drop(import);
        assert_eq!(
            report.to_string(),
            "progress_files: 11 read, 4 imported (2 complete, 2 pending), 0 filled, 0 unchanged, 0 kept, \
             7 quarantined\n  \
             .onboarding_progress.json:1: subject id is empty: give at least one character\n  \
             .onboarding_progress_d.json:1: not JSON: EOF while parsing a value at line 1 column 19\n  \
             .onboarding_progress_e.json:1: empty: was it cut off while it was written?\n  \
             .onboarding_progress_f.json:1: no object: it has to begin with {\n  \
             .onboarding_progress_g.json:1: not UTF-8: convert the file\n  \
             .onboarding_progress_h.json:1: \"is_completed\" is an object, not a flag\n  \
             .onboarding_progress_j.json:1: longer than 1048576 bytes: split it",
        );
        let lines: Vec<Value> = quarantine
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(
            lines[1],
            json!({
                "source": "progress_files",
                "from": ".onboarding_progress_d.json",
                "line": 1,
                "reason": "not JSON: EOF while parsing a value at line 1 column 19",
                "raw": "{\"is_completed\": tr",
            }),
        );
        assert_eq!(lines[4]["raw_hex"], "7b226e616d65223a2022ff227d");
        assert_eq!(lines[6]["cut"], true);
        assert_eq!(lines[6]["raw"].as_str().unwrap().len(), 64 * 1024);
        let company = desk
            .onramp
            .fact::<Company>(desk.tenant(), desk.open("b").await.id())
            .await;
        assert_eq!(company.unwrap().unwrap().name, "Acme");
    }
    for (name, bytes) in files {
        let file = folder.path().join(name);
        assert_eq!(fs::read(&file).unwrap(), bytes);
        assert_eq!(
            fs::metadata(&file).unwrap().modified().unwrap(),
            old,
            "{name}"
        );
    }
}

fn read(text: impl AsRef<[u8]>) -> Vec<Result<Value, String>> {
    let entries = csv("t.csv", text.as_ref());
    entries
        .map(|entry| match entry {
            Ok(record) => Ok(record.decode().unwrap()),
            Err(why) => Err(format!("{}: {}", why.place, why.reason)),
        })
        .collect()
}

#[test]
fn csv_is_read_as_spreadsheets_write_it() {
    let text = "\u{feff}a, b \r\n1,\"x\r\ny\"\r\n\r\n\"\u{feff}2\",\"say \"\"hi\"\", twice\"\r\n3,";
    let expected = [
        json!({"a": "1", "b": "x\r\ny"}),
        json!({"a": "\u{feff}2", "b": "say \"hi\", twice"}),
        json!({"a": "3", "b": ""}),
    ];
    assert_eq!(read(text), expected.map(Ok));
    // Old ones end lines with a carriage return alone.
    assert_eq!(
        read("a,b\r1,2\r3,4"),
        [json!({"a": "1", "b": "2"}), json!({"a": "3", "b": "4"})].map(Ok)
    );
    let semicolons: Vec<_> = csv("t.csv", "a;b\n1,5;2".as_bytes())
        .delimiter(b';')
        .collect();
    assert_eq!(semicolons[0].as_ref().unwrap().text("a").unwrap(), "1,5");
    for nothing in ["", "\n\n", "a,b", "a,b\n\r\n"] {
        assert_eq!(read(nothing), [], "{nothing:?}");
    }
}

#[test]
fn what_is_wrong_with_csv_costs_only_the_record_that_it_is_wrong_with() {
    let long = "x".repeat(1 << 20);
    let text = format!("a,b\n1,2\n3,\"open\n4,5\n6\n7,8,9\n{long},1\n10,11");
    let quote = "a quote is opened and not closed: close it, or double it within a text";
    assert_eq!(
        read(text),
        [
            Ok(json!({"a": "1", "b": "2"})),
            Err(format!("t.csv:3: {quote}")),
            Ok(json!({"a": "4", "b": "5"})),
            Err("t.csv:5: 1 columns, and the header has 2: check quotes and separators".to_owned()),
            Err("t.csv:6: 3 columns, and the header has 2: check quotes and separators".to_owned()),
            Err("t.csv:7: longer than 1048576 bytes: split it".to_owned()),
            Ok(json!({"a": "10", "b": "11"})),
        ]
    );
    let bytes = b"a,b\n\xff,1\n2,3\n\xff\xfe\0";
    assert_eq!(
        read(bytes)[0],
        Err("t.csv:2: \"a\" is not UTF-8: convert the file".to_owned())
    );
    assert_eq!(read(bytes)[1], Ok(json!({"a": "2", "b": "3"})));
    // Without names nothing can be read, and that is said once.
    assert_eq!(
        read("a,a\n1,2\n"),
        [Err(
            "t.csv:1: the header names \"a\" twice: rename one".to_owned()
        )]
    );
    assert_eq!(
        read(b"a,\xff\n1,2\n"),
        [Err(
            "t.csv:1: the header is not UTF-8: convert the file".to_owned()
        )]
    );
}

#[test]
fn a_disk_that_fails_ends_the_file_and_not_the_run() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("input/output error"))
        }
    }
    let text = std::io::Cursor::new("a\n1\n").chain(Broken);
    let entries: Vec<Entry> = csv("t.csv", std::io::BufReader::new(text)).collect();
    assert!(entries[0].is_ok());
    assert_eq!(
        entries[1].as_ref().unwrap_err().reason,
        "it cannot be read on: input/output error"
    );
    assert_eq!(entries.len(), 2);
}

#[test]
fn values_are_not_guessed() {
    let row = json!({ "n": 7, "t": "x", "nil": null, "blank": " ", "list": [1], "flag": "TRUE", "one": 1, "/a": 1 });
    let record = rows("t", [row]).next().unwrap().unwrap();
    let no = |reject: Reject| reject.to_string();
    assert_eq!(
        no(record.text("n").unwrap_err()),
        "\"n\" is a number, not a text"
    );
    assert_eq!(
        no(record.text("list").unwrap_err()),
        "\"list\" is a list, not a text"
    );
    assert_eq!(no(record.text("nil").unwrap_err()), "\"nil\" is empty");
    assert_eq!(no(record.text("gone").unwrap_err()), "\"gone\" is missing");
    assert_eq!(no(record.flag("blank").unwrap_err()), "\"blank\" is empty");
    assert_eq!(
        no(record.maybe_time("t").unwrap_err()),
        "\"t\" is no time: write it like 2024-03-01T10:00:00Z"
    );
    assert_eq!(
        no(record.parse::<u8>("t").unwrap_err()),
        "\"t\": invalid digit found in string"
    );
    assert!(record.flag("flag").unwrap() && record.flag("one").unwrap());
    assert_eq!(record.maybe_flag("gone").unwrap(), None);
    assert_eq!(record.parse::<u8>("n").unwrap(), 7);
    assert!(format!("{record:?}").contains("t") && !format!("{record:?}").contains("TRUE"));
    // In a table a name that is not there is misspelt.
    let record = csv("t.csv", "user\nu1\n".as_bytes())
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        no(record.maybe_text("usr").unwrap_err()),
        "there is no column \"usr\""
    );
    assert!(
        rows("t", [1])
            .next()
            .unwrap()
            .unwrap_err()
            .reason
            .starts_with("the row is no object")
    );
}

#[tokio::test]
async fn what_the_flow_refuses_is_set_aside() {
    for store in each_store().await {
        let desk = Desk::new(store, Faults::default());
        let company = |record: &Record| {
            let name = record.text("company").unwrap_or_default().to_owned();
            Ok(Imported::new(
                TenantId::new("acme")?,
                SubjectId::new(record.text("user")?)?,
            )
            .answer(Company { name }))
        };
        let some = [
            json!({ "user": "u1" }),
            json!({ "user": "u2", "company": "a\0b" }),
            json!({ "user": "u3", "company": "Acme" }),
        ];
        let mut import = Import::into(&desk.onramp, "crm").map(company);
        let report = import.run(rows("users", some)).await.unwrap();
        let why: Vec<_> = report
            .rejected
            .iter()
            .map(|one| one.reason.as_str())
            .collect();
        assert_eq!(
            why,
            [
                "company: /name is empty: give a name",
                "fact of step \"company\" contains a NUL character: remove it"
            ]
        );
        assert_eq!(report.pending, 1);
        assert_eq!(desk.onramp.store().list(None, 9).await.unwrap().len(), 1);

        let mut import = Import::into(&desk.onramp, "My CRM").map(company);
        let stopped = import.run(rows("users", [json!({})])).await.unwrap_err();
        assert_eq!(
            stopped.to_string(),
            "the import of My CRM stopped after 0 records: source name is no name: use 1 to 64 of a-z, 0-9 and _, a letter first"
        );
        let flow = Workspace::steps()
            .expect::<crate::support::Paid>()
            .build()
            .unwrap();
        let other = Onramp::shared(std::sync::Arc::clone(desk.onramp.store()), flow);
        let mut import = Import::into(&other, "crm").map(company);
        let report = import
            .run(rows("users", [json!({ "user": "u9", "company": "Acme" })]))
            .await
            .unwrap();
        assert_eq!(report.rejected[0].reason, "the flow has no step company");
    }
}

/// CSV that is written while it is read.
struct Written {
    row: u32,
    rows: u32,
    text: Vec<u8>,
    padding: String,
}

impl Read for Written {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.text.is_empty() && self.row < self.rows {
            let row = self.row;
            self.row += 1;
            self.text = match row {
                0 => b"user,company,note\n".to_vec(),
                row => format!("u{row},Company {row},\"{}\n\"\n", self.padding).into_bytes(),
            };
        }
        let length = into.len().min(self.text.len());
        into[..length].copy_from_slice(&self.text[..length]);
        self.text.drain(..length);
        Ok(length)
    }
}

/// The most memory that this process ever had, in MiB, where Linux tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes = line.trim().strip_suffix(" kB")?;
    Some(kilobytes.trim().parse::<u64>().unwrap() / 1024)
}

#[tokio::test]
async fn ten_thousand_records_take_no_more_memory_than_a_few() {
    let rows = 10_001;
    let padding = "x".repeat(10_000);
    let store = SqliteStore::open(
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{}.db", uuid::Uuid::now_v7())),
    )
    .await
    .unwrap();
    let desk = Desk::new(std::sync::Arc::new(store), Faults::default());
    let mut import = Import::into(&desk.onramp, "crm").map(|record| {
        let name = record.text("company")?.to_owned();
        Ok(Imported::new(
            TenantId::new("acme")?,
            SubjectId::new(record.text("user")?)?,
        )
        .answer(Company { name }))
    });
    let source = |row, rows| {
        let (text, padding) = (Vec::new(), padding.clone());
        csv(
            "users.csv",
            std::io::BufReader::new(Written {
                row,
                rows,
                text,
                padding,
            }),
        )
    };
    import.run(source(0, 200)).await.unwrap();
    let (before, began) = (peak(), Instant::now());
    let report = import.run(source(0, rows)).await.unwrap();
    assert_eq!(
        (report.read, report.pending, report.unchanged),
        (10_000, 9_801, 199)
    );
    let grown = peak().unwrap_or(0) - before.unwrap_or(0);
    println!(
        "10,000 records of 10 kB: {:?}, {grown} MiB more than for 200",
        began.elapsed()
    );
    assert!(grown < 30, "{grown} MiB for 100 MB of CSV");
    let id = desk.open("u9999").await.id();
    let journal = desk
        .onramp
        .store()
        .journal(desk.tenant(), id, Revision::new(0), 9)
        .await
        .unwrap();
    assert_eq!(journal.len(), 2);
}
