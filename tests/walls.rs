//! The walls of the house: who imports whom, and what must not be found where.
//!
//! Each wall is a function over sources, so that each is shown to stand (against the real ones)
//! and to be able to fall (against a made-up one that breaks it).
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod walls {
    pub(crate) mod code;
    pub(crate) mod sources;
}

use std::collections::BTreeMap;
use std::process::Command;

use walls::code::{crate_roots, strip, words};

/// A source, its comments, strings and tests taken out.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            code: strip(text),
            lines: text.lines().count(),
        }
    }

    /// The module of the crate that it belongs to.
    fn module(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = inner.split('/').next().unwrap_or(inner);
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

fn sources() -> Vec<Source> {
    let all = walls::sources::sources().into_iter();
    all.map(|(path, text)| Source::new(&path, &text)).collect()
}

/// What each module may import of the crate's other modules; `*` is anything but `testing`.
const MAY_IMPORT: [(&str, &[&str]); 21] = [
    ("id", &[]),
    ("time", &[]),
    ("fields", &[]),
    ("guide", &[]),
    ("flow", &["id", "time"]),
    ("lifecycle", &["id", "time", "flow"]),
    (
        "store",
        &["id", "time", "flow", "lifecycle", "status", "measure"],
    ),
    ("status", &["id", "time", "flow", "lifecycle"]),
    (
        "admission",
        &["id", "time", "flow", "lifecycle", "store", "status"],
    ),
    ("measure", &["id", "lifecycle"]),
    ("diagram", &["id", "flow", "lifecycle"]),
    (
        "insight",
        &["id", "time", "flow", "lifecycle", "store", "status"],
    ),
    ("vault", &["id", "time", "flow", "lifecycle", "store"]),
    (
        "onramp",
        &[
            "id",
            "time",
            "flow",
            "lifecycle",
            "store",
            "status",
            "admission",
            "insight",
        ],
    ),
    (
        "engine",
        &[
            "id",
            "time",
            "flow",
            "lifecycle",
            "store",
            "status",
            "onramp",
            "vault",
            "measure",
        ],
    ),
    (
        "tiers",
        &[
            "id",
            "time",
            "flow",
            "lifecycle",
            "store",
            "status",
            "onramp",
            "engine",
            "measure",
        ],
    ),
    (
        "import",
        &[
            "id",
            "time",
            "flow",
            "lifecycle",
            "store",
            "admission",
            "onramp",
        ],
    ),
    ("http", &["*"]),
    ("cli", &["*"]),
    ("bin", &["*"]),
    ("testing", &["*", "testing"]),
];

/// Imports point one way.
fn imports(sources: &[Source]) -> Vec<String> {
    let reexported = reexported(sources);
    let mut broken = Vec::new();
    for source in sources {
        let module = source.module();
        if matches!(module, "lib" | "prelude") {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
            broken.push(format!(
                "{}: give the module {module} its place",
                source.path
            ));
            continue;
        };
        for root in crate_roots(&source.code) {
            let imported = reexported.get(&root).unwrap_or(&root);
            let free = allowed.contains(&"*") && imported != "testing";
            if imported != module && !free && !allowed.contains(&imported.as_str()) {
                broken.push(format!("{}: {module} imports {imported}", source.path));
            }
        }
    }
    broken
}

/// Which module a name at the crate's root comes from.
fn reexported(sources: &[Source]) -> BTreeMap<String, String> {
    let lib = sources.iter().find(|source| source.path == "src/lib.rs");
    let mut names = BTreeMap::new();
    for statement in lib.map_or("", |lib| &lib.code).split(';') {
        if let Some((_, path)) = statement.rsplit_once("pub use ")
            && let Some((module, list)) = path.split_once("::")
            && module != "crate"
        {
            for name in words(list) {
                names
                    .entry(name.to_owned())
                    .or_insert_with(|| module.to_owned());
            }
        }
    }
    names
}

/// The rules know no runtime, no database, no clock; the lifecycle nothing async, flow no await.
fn rules_are_pure(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let module = source.module();
        if !matches!(module, "flow" | "lifecycle" | "diagram") {
            continue;
        }
        let mut forbidden = vec!["tokio", "sqlx", "axum", "tracing", "SystemClock", "await"];
        if module == "lifecycle" {
            forbidden.push("async");
        }
        for word in words(&source.code).filter(|word| forbidden.contains(word)) {
            broken.push(format!("{}: {word}", source.path));
        }
        let dense: String = source.code.split_whitespace().collect();
        for clock in ["Utc::now", "Local::now", "SystemTime::now", "Instant::now"] {
            if dense.contains(clock) {
                broken.push(format!("{}: {clock}", source.path));
            }
        }
    }
    broken
}

/// Stores store: only the typed face over them asks the rules.
fn stores_do_not_decide(sources: &[Source]) -> Vec<String> {
    let face = ["src/store/ext.rs", "src/store/prepare.rs"];
    let mut broken = Vec::new();
    for source in sources {
        if source.module() != "store" || face.contains(&source.path.as_str()) {
            continue;
        }
        for rule in ["decide", "decide_all", "apply", "evolve", "next"] {
            for (place, _) in source.code.match_indices(&format!("{rule}(")) {
                let before = source.code[..place].trim_end();
                let method = before.ends_with('.') || before.ends_with("fn");
                let longer =
                    source.code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if !method && !longer {
                    broken.push(format!("{}: calls {rule}", source.path));
                }
            }
        }
    }
    broken
}

/// The engine, the vault and the HTTP face know stores by their contract alone.
fn engine_knows_no_adapter(sources: &[Source]) -> Vec<String> {
    let by_contract = |source: &&Source| matches!(source.module(), "engine" | "vault" | "http");
    let engine = sources.iter().filter(by_contract);
    let adapter = |word: &&str| {
        matches!(*word, "sql" | "sqlx" | "MemoryStore")
            || ["Sqlite", "Postgres", "MySql"]
                .iter()
                .any(|name| word.starts_with(name))
    };
    engine
        .flat_map(|source| {
            let named = words(&source.code).filter(adapter);
            named
                .map(|word| format!("{}: {word}", source.path))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// No type of sqlx is in a public signature, but the transaction of a host that is joined. The one seam
/// to sqlx is a private module.
fn sqlx_stays_inside(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    let sql = sources
        .iter()
        .filter(|source| source.path.starts_with("src/store/sql"));
    for source in sql {
        if source.code.contains("pub mod driver") {
            broken.push(format!("{}: the seam is public", source.path));
        }
        if source.path == "src/store/sql/driver.rs" {
            continue;
        }
        for (place, _) in source.code.match_indices("pub ") {
            let signature = source.code[place..]
                .split(['{', ';', '}'])
                .next()
                .unwrap_or("");
            if signature
                .replace("sqlx::Transaction<", "")
                .contains("sqlx::")
            {
                broken.push(format!("{}: {}", source.path, signature.trim()));
            }
        }
    }
    broken
}

/// One concept a file.
fn files_stay_small(sources: &[Source]) -> Vec<String> {
    let large = sources.iter().filter(|source| source.lines > 500);
    large
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect()
}

#[test]
fn the_walls_stand() {
    let sources = sources();
    for wall in [
        imports,
        rules_are_pure,
        stores_do_not_decide,
        engine_knows_no_adapter,
        sqlx_stays_inside,
        files_stay_small,
    ] {
        assert_eq!(wall(&sources), Vec::<String>::new());
    }
}

type Wall = fn(&[Source]) -> Vec<String>;

#[test]
fn each_wall_can_fall() {
    let long = "\n".repeat(501);
    let cases: [(Wall, &str, &str); 32] = [
        (imports, "src/vault/keep.rs", "use crate::onramp::Bulk;"),
        (
            engine_knows_no_adapter,
            "src/vault/keep.rs",
            "use crate::store::SqliteStore;",
        ),
        (sqlx_stays_inside, "src/store/sql/mod.rs", "pub mod driver;"),
        (imports, "src/flow/plan.rs", "use crate::lifecycle::State;"),
        (
            imports,
            "src/lifecycle/next.rs",
            "use crate::{id::Key, store::Row};",
        ),
        (imports, "src/id.rs", "fn now() { crate::time::now() }"),
        (imports, "src/engine/mod.rs", "use crate::testing::pure;"),
        (imports, "src/testing/mod.rs", "use crate::nowhere;"),
        (imports, "src/stores/mod.rs", "struct Misspelt;"),
        (imports, "src/fields/mod.rs", "use crate::flow::Step;"),
        (imports, "src/guide/mod.rs", "use crate::flow::Step;"),
        (imports, "src/status/mod.rs", "use crate::store::Row;"),
        (
            imports,
            "src/admission/mod.rs",
            "use crate::tiers::Reading;",
        ),
        (imports, "src/tiers/mod.rs", "use crate::admission::Proof;"),
        (imports, "src/insight/mod.rs", "use crate::onramp::Onramp;"),
        (imports, "src/diagram/mod.rs", "use crate::store::Row;"),
        (imports, "src/import/mod.rs", "use crate::engine::Engine;"),
        (
            rules_are_pure,
            "src/flow/task.rs",
            "use tokio::time::sleep;",
        ),
        (
            rules_are_pure,
            "src/flow/task.rs",
            "fn f() { tracing::info!(\"x\") }",
        ),
        (
            rules_are_pure,
            "src/flow/task.rs",
            "let done = task.run().await;",
        ),
        (
            rules_are_pure,
            "src/lifecycle/decide.rs",
            "let now = chrono::Utc::now();",
        ),
        (
            rules_are_pure,
            "src/lifecycle/decide.rs",
            "let now = Utc\n    ::now();",
        ),
        (
            rules_are_pure,
            "src/lifecycle/decide.rs",
            "async fn decide() {}",
        ),
        (
            stores_do_not_decide,
            "src/store/sql/commit.rs",
            "let events = decide(&state);",
        ),
        (
            stores_do_not_decide,
            "src/store/memory.rs",
            "crate::lifecycle::next(&state)",
        ),
        (
            stores_do_not_decide,
            "src/store/memory.rs",
            "events.fold(state, |s, e| apply(s, e))",
        ),
        (
            engine_knows_no_adapter,
            "src/engine/worker.rs",
            "use crate::store::MemoryStore;",
        ),
        (
            engine_knows_no_adapter,
            "src/engine/worker.rs",
            "store: SqliteStore",
        ),
        (
            engine_knows_no_adapter,
            "src/engine/worker.rs",
            "use crate::store::sql;",
        ),
        (
            sqlx_stays_inside,
            "src/store/sql/mod.rs",
            "pub fn of(pool: sqlx::SqlitePool) {}",
        ),
        (
            sqlx_stays_inside,
            "src/store/sql/mod.rs",
            "struct S { pub pool:\n sqlx::SqlitePool }",
        ),
        (files_stay_small, "src/store/sql/mod.rs", &long),
    ];
    for (wall, path, text) in cases {
        let broken = wall(&[Source::new("src/lib.rs", ""), Source::new(path, text)]);
        let expected = usize::from(!path.contains("testing"));
        assert_eq!(broken.len(), expected, "{path}: {text:?} gives {broken:?}");
    }
}

#[test]
fn the_http_face_knows_no_adapter_either() {
    let bad = [Source::new(
        "src/http/api.rs",
        "use crate::store::SqliteStore;",
    )];
    assert_eq!(
        engine_knows_no_adapter(&bad),
        ["src/http/api.rs: SqliteStore"]
    );
}

#[test]
fn a_root_name_counts_as_its_modules() {
    let lib = Source::new(
        "src/lib.rs",
        "pub use onramp::Onramp; pub use id::{Key, Fence};",
    );
    let good = Source::new("src/flow/plan.rs", "use crate::Key;");
    let bad = Source::new("src/flow/task.rs", "use crate::Onramp;");
    let broken = imports(&[lib, good, bad]);
    assert_eq!(broken, ["src/flow/task.rs: flow imports onramp"]);
}

#[test]
fn comments_strings_and_tests_do_not_count() {
    let text = r####"
        //! crate::store, tokio::spawn, .await
        /* async /* nested */ Utc::now() */
        /// use crate::engine;
        const A: &str = "tokio::spawn \" async";
        const B: &str = r#"Utc::now() " decide("#;
        const C: [char; 3] = ['"', '\'', '/'];
        fn lifetimes<'a>(it: &'a str) -> &'a str { it } // async
        #[cfg(test)]
        mod tests { use crate::store::Row; async fn f() {} }
    "####;
    for path in ["src/lifecycle/a.rs", "src/store/a.rs", "src/engine/a.rs"] {
        let sources = [Source::new(path, text)];
        for wall in [
            imports,
            rules_are_pure,
            stores_do_not_decide,
            engine_knows_no_adapter,
        ] {
            assert_eq!(wall(&sources), Vec::<String>::new());
        }
    }
    let kept = strip("let a = \"x\"; let b = 'c'; async");
    assert!(kept.contains("let b") && kept.contains("async"));
    let methods = [Source::new(
        "src/store/a.rs",
        "rows.next(); fn apply(x: u8) {} may_apply(x)",
    )];
    assert_eq!(stores_do_not_decide(&methods), Vec::<String>::new());
}

/// The package names that `cargo tree` prints, the crate itself left out.
fn tree(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "-e",
            "normal",
        ])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let mut names: Vec<_> = names
        .filter(|name| *name != "onramp")
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_core_depends_on_little() {
    let direct = tree(&["--no-default-features", "--depth", "1"]);
    let core = ["chrono", "serde", "serde_json", "thiserror", "uuid"];
    assert_eq!(direct, core);

    let forbidden = ["tokio", "sqlx", "axum", "tracing", "sha2"];
    let heavy = |all: Vec<String>| -> Vec<String> {
        let heavy = all.into_iter().filter(|name| {
            forbidden
                .iter()
                .any(|root| name == root || name.starts_with(&format!("{root}-")))
        });
        heavy.collect()
    };
    assert_eq!(
        heavy(tree(&["--no-default-features"])),
        Vec::<String>::new()
    );
    let engine = heavy(tree(&["--features", "tokio"]));
    assert!(
        engine.contains(&"tokio".to_owned()),
        "the look itself is blind: {engine:?}"
    );
}
