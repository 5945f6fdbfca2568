//! The workload as a host of onramp writes it.

use std::path::Path;
use std::sync::Arc;

use onramp::prelude::*;
use onramp::store::{MySqlStore, PostgresStore, SqliteStore};
use serde::{Deserialize, Serialize};

use crate::measure::One;
use crate::meter::url;

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

macro_rules! steps {
    ($($step:ident $name:literal),+) => {
        $(
            #[derive(Serialize, Deserialize)]
            struct $step {
                text: String,
            }
            impl Step for $step {
                const NAME: &'static str = $name;
            }
            impl Answer<Signup> for $step {}
        )+
    };
}
steps!(First "first", Second "second", Third "third", Fourth "fourth", Fifth "fifth");

/// Counts the write transactions of a store.
pub(crate) enum Counted {
    Postgres(PostgresStore),
    MariaDb(MySqlStore),
    Sqlite(SqliteStore),
}

impl Counted {
    pub(crate) fn transactions(&self) -> u64 {
        match self {
            Self::Postgres(store) => store.written().transactions,
            Self::MariaDb(store) => store.written().transactions,
            Self::Sqlite(store) => store.written().transactions,
        }
    }
}

/// 200 bytes of JSON.
fn text() -> String {
    "x".repeat(200 - r#"{"text":""}"#.len())
}

pub(crate) async fn onramp(store: &str, folder: &Path) -> (One, Counted) {
    let (shared, counted): (Arc<dyn Store>, _) = match store {
        "postgres" => {
            let store = PostgresStore::connect(&url(store)).await.unwrap();
            (Arc::new(store.clone()), Counted::Postgres(store))
        }
        "mariadb" => {
            let store = MySqlStore::connect(&url(store)).await.unwrap();
            (Arc::new(store.clone()), Counted::MariaDb(store))
        }
        _ => {
            let store = SqliteStore::open(folder.join("onramp.db")).await.unwrap();
            (Arc::new(store.clone()), Counted::Sqlite(store))
        }
    };
    let flow = Signup::steps()
        .ask::<First>()
        .ask::<Second>()
        .ask::<Third>()
        .ask::<Fourth>()
        .ask::<Fifth>()
        .build()
        .unwrap();
    let onramp = Onramp::shared(shared, flow);
    let run = std::process::id();
    let one: One = Arc::new(move |number| {
        let onramp = onramp.clone();
        Box::pin(async move {
            let tenant = TenantId::new("acme").unwrap();
            let subject = SubjectId::new(format!("{run}-{number}")).unwrap();
            let begun = onramp.begin(&tenant, &subject).await.unwrap();
            let running = begun.into_in_progress().expect("it is new");
            let answer = running.submit(First { text: text() });
            let running = onramp.commit(answer).await.unwrap();
            let answer = running.submit(Second { text: text() });
            let running = onramp.commit(answer).await.unwrap();
            let answer = running.submit(Third { text: text() });
            let running = onramp.commit(answer).await.unwrap();
            let answer = running.submit(Fourth { text: text() });
            let running = onramp.commit(answer).await.unwrap();
            let answer = running.submit(Fifth { text: text() });
            let _done = onramp.commit(answer.and_complete()).await.unwrap();
        })
    });
    (one, counted)
}
