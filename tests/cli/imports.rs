//! Taking over what an older system knew, as it is typed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::embedded::Service;
use crate::golden;
use crate::support::database::Database;
use crate::typed::Tool;

const USERS: &str = "\
tenant,user,done,first_login_at,invoice
acme,u1,t,2023-05-01T08:00:00Z,inv-1
acme,u2,f,,
acme,u3,maybe,,
";

fn at(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_taken_over_after_a_look_at_what_becomes_of_them() {
    for database in Database::each().await {
        let service = Service::new(&database).await;
        let (tool, folder) = (&service.tool, tempfile::tempdir().unwrap());
        let (users, left) = (at(folder.path(), "u.csv"), at(folder.path(), "left.jsonl"));
        fs::write(&users, USERS).unwrap();

        let look = format!("import --csv {users} --dry-run");
        let rehearsed = tool.json(&look, 3).await;
        golden::holds("import", &rehearsed);
        let counts = |told: &Value| {
            ["read", "completed", "pending", "unchanged", "quarantined"]
                .map(|key| told[key].clone())
        };
        assert_eq!(counts(&rehearsed), [3, 1, 1, 0, 1].map(Value::from));
        assert_eq!(rehearsed["dry_run"], true);
        assert_eq!(rehearsed["rejected"][0]["line"], 4);
        let none = tool.json("list", 0).await;
        assert_eq!(none["onboardings"], json!([]), "a look writes nothing");

        let import = format!("import --csv {users} --quarantine {left}");
        let done = tool.json(&import, 3).await;
        assert_eq!(counts(&done), [3, 1, 1, 0, 1].map(Value::from));
        assert_eq!(done["quarantine"], left.as_str());
        let line: Value = serde_json::from_str(&fs::read_to_string(&left).unwrap()).unwrap();
        assert_eq!((&line["source"], &line["line"]), (&json!("crm"), &json!(4)));
        private(&left);
        let status = tool.json("status --tenant acme --subject u1", 0).await;
        assert_eq!(status["onboardings"][0]["stage"], "completed");

        // What is left is never written over, and a mended file takes the rest.
        let again = tool.json(&import, 1).await;
        assert_eq!(again["error"]["code"], "unwritable", "{again}");
        fs::write(&users, USERS.replace("maybe", "f")).unwrap();
        let second = at(folder.path(), "second.jsonl");
        let mended = format!("import --source crm --csv {users} --quarantine {second}");
        let mended = tool.json(&mended, 0).await;
        assert_eq!(counts(&mended), [3, 0, 1, 2, 0].map(Value::from));
        assert_eq!(mended["quarantine"], Value::Null);
        assert!(!Path::new(&second).exists(), "nothing is in it");

        let old = tool
            .json("funnel --from 2023-05-01 --until 2023-05-02", 0)
            .await;
        assert_eq!(old["total"]["enrolled"], 1, "where it began");
    }
}

#[cfg(unix)]
fn private(path: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o77, 0, "there are people in it");
}

#[cfg(not(unix))]
fn private(_: &str) {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_progress_files_is_read_and_whoever_is_here_counts_more() {
    let database = Database::sqlite();
    let service = Service::new(&database).await;
    service.answered("u1").await;
    let (tool, folder) = (&service.tool, tempfile::tempdir().unwrap());
    for (name, text) in [
        (
            ".onboarding_progress_u1.json",
            r#"{"tenant": "acme", "done": true}"#,
        ),
        (
            ".onboarding_progress_u2.json",
            r#"{"tenant": "acme", "done": false}"#,
        ),
        (".onboarding_progress_u3.json", r#"{"tenant": "acme", "don"#),
        ("settings.json", "{}"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let files = folder.path().to_str().unwrap();
    let import =
        format!("import --json-files {files} --files .onboarding_progress_*.json --dry-run");
    let kept = tool.json(&import, 3).await;
    assert_eq!((&kept["kept"], &kept["pending"]), (&json!(1), &json!(1)));
    let from = kept["rejected"][0]["from"].as_str().unwrap();
    assert!(from.ends_with("u3.json"), "{kept}");
    let asking = format!("{import} --on-conflict quarantine");
    assert_eq!(tool.json(&asking, 3).await["quarantined"], 2);
    let text = tool.type_(&import).await;
    assert!(text.out.starts_with("crm (dry run): 3 read"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_imported_is_told_before_anything_is() {
    let database = Database::sqlite();
    let service = Service::new(&database).await;
    let folder = tempfile::tempdir().unwrap();
    let users = at(folder.path(), "u.csv");
    fs::write(&users, USERS).unwrap();
    let csv = format!("import --csv {users}");
    for (line, code, exit, says) in [
        ("import --dry-run".to_owned(), "usage", 2, "--csv"),
        (csv.clone(), "usage", 2, "--quarantine"),
        (format!("{csv} --json-files ."), "usage", 2, "--json-files"),
        (
            format!("{csv} --dry-run --delimiter ab"),
            "usage",
            2,
            "ASCII",
        ),
        (
            format!("{csv} --dry-run --source erp"),
            "unknown_source",
            1,
            "crm",
        ),
        (
            "import --csv no.csv --dry-run".to_owned(),
            "unreadable",
            1,
            "no.csv",
        ),
        (
            "import --json-files no --dry-run".to_owned(),
            "unreadable",
            1,
            "no",
        ),
        (
            format!("{csv} --quarantine no/left"),
            "unwritable",
            1,
            "no/left",
        ),
    ] {
        let told = service.tool.json(&line, exit).await;
        assert_eq!(told["error"]["code"], code, "{line}: {told}");
        assert!(told.to_string().contains(says), "{line}: {told}");
    }
    let (bare, look) = (Tool::bare(&database), format!("{csv} --dry-run"));
    let told = bare.json(&look, 1).await["error"].clone();
    assert_eq!(told["code"], "unknown_source");
    assert!(
        told["hint"].as_str().unwrap().contains("Cli::new().import"),
        "{told}"
    );
    assert_eq!(service.tool.json("list", 0).await["onboardings"], json!([]));
}
