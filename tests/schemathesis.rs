//! The HTTP face as somebody sees it who has read its OpenAPI document and nothing else:
//! [Schemathesis](https://schemathesis.io) makes requests up, good ones and bad ones, and holds the
//! answers against the document. Needs it installed, so run by name: `scripts/test schemathesis`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod schemathesis {
    pub(crate) mod crowd;
    pub(crate) mod flow;
    pub(crate) mod seen;
}

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use axum::middleware::from_fn_with_state;
use onramp::Key;
use onramp::http::{Api, Live};
use onramp::prelude::*;
use onramp::store::{Error, ErrorKind, Row, Store};
use onramp::testing::{Layer, Layered};
use onramp::vault::{LocalKeys, Vault};
use schemathesis::crowd::Crowd;
use schemathesis::flow::{API_KEY, Branding, CANARY, Company, Shop, UNLUCKY, definition, schemas};
use schemathesis::seen::{Seen, look};
use tokio::process::Command;

const KEYS: &str = "test = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";

/// What is answered well to few: whoever has just been offered a token, and whose undo has failed.
const LUCK: [&str; 2] = [
    "POST /onboarding/secrets/api_key/reveal",
    "POST /operator/onboardings/{onboarding}/retry-undo",
];

/// A store that is away for one subject, and says too much of it.
struct Away {
    inner: MemoryStore,
    times: Arc<AtomicU32>,
}

#[async_trait]
impl Layer for Away {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        if key.subject.as_str() == UNLUCKY {
            self.times.fetch_add(1, SeqCst);
            return Err(Error::new(ErrorKind::Unavailable, CANARY).because(CANARY));
        }
        self.inner.find(key).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs scripts/test schemathesis"]
async fn whatever_is_asked_the_answer_is_as_the_document_says() {
    let times = Arc::new(AtomicU32::new(0));
    let store: Arc<dyn Store> = Arc::new(Layered(Away {
        inner: MemoryStore::new(),
        times: Arc::clone(&times),
    }));
    let onramp = Onramp::shared(Arc::clone(&store), definition());
    let vault = Vault::new(store, LocalKeys::parse(KEYS).unwrap());
    let crowd = Crowd::new(onramp.clone(), vault.clone());
    let [company, shop, branding] = schemas();
    let api = Api::new(onramp)
        .operators(crowd.clone())
        .vault(vault, [API_KEY])
        .live(Live::default().longest(Duration::from_millis(20)))
        .schema::<Company>(company)
        .schema::<Shop>(shop)
        .schema::<Branding>(branding);
    let routes = routes(&api.openapi());
    let seen = Seen::default();
    let app = axum::Router::new()
        .nest("/api", api.authorize(crowd).into_router())
        .layer(from_fn_with_state(seen.clone(), look));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let mut command = Command::new(std::env::var("ONRAMP_SCHEMATHESIS").unwrap());
    let config = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/schemathesis/schemathesis.toml"
    );
    let hooks = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis/hooks.py");
    // It keeps notes for its next run where it works, and there is to be none.
    let notes = tempfile::tempdir().unwrap();
    let command = command
        .current_dir(&notes)
        .env("SCHEMATHESIS_HOOKS", hooks)
        .args(["--config-file", config, "run", "--checks", "all"])
        .args(["--url", &format!("http://{address}/api")])
        .arg(format!("http://{address}/api/openapi.json"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(Duration::from_secs(400), command.status()).await;
    server.abort();
    seen.print(&routes);

    assert!(
        ended.unwrap().unwrap().success(),
        "it found something: see above"
    );
    assert_eq!(seen.leaks(), Vec::<String>::new());
    assert!(
        times.load(SeqCst) > 5,
        "the store was asked to say too much"
    );
    let never: Vec<_> = routes
        .into_iter()
        .filter(|route| !LUCK.contains(&route.as_str()))
        .filter(|route| seen.answered(route, 200..300) == 0)
        .collect();
    assert_eq!(
        never,
        Vec::<String>::new(),
        "never answered well, so not tried"
    );
}

/// Every operation of a document.
fn routes(document: &serde_json::Value) -> Vec<String> {
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}
