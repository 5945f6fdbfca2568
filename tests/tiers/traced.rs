//! Which tier answered, as a subscriber is told it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::desk::{Desk, FRESH};

type Fields = BTreeMap<&'static str, String>;

/// Keeps the fields of what the tiers say.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Fields>>>);

struct Reader(Fields);

impl Visit for Reader {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("onramp::tiers")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut reader = Reader(Fields::new());
        event.record(&mut reader);
        self.0.lock().unwrap().push(reader.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_subscriber_is_told_which_tier_answered() {
    let told = Told::default();
    let _listening = tracing::subscriber::set_default(told.clone());
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    desk.project("org-1").await;
    desk.read("org-1").await;
    desk.clock.pass(FRESH);
    desk.read("org-1").await;
    desk.forget("org-1");
    desk.database_off.store(true, SeqCst);
    desk.read("org-1").await;
    desk.mirror_off.store(true, SeqCst);
    desk.read("org-1").await;
    let told = told.0.lock().unwrap();
    let about = |message: &str| -> Vec<(String, String)> {
        let about = told.iter().filter(|it| it["message"] == message);
        let field = |it: &Fields, name: &str| it.get(name).cloned().unwrap_or_default();
        about
            .map(|it| (field(it, "tier"), field(it, "stale")))
            .collect()
    };
    let told = |tier: &str, stale: &str| (tier.to_owned(), stale.to_owned());
    let expected = [
        told("local", "false"),
        told("database", "false"),
        told("mirror", "true"),
        told("default", "true"),
    ];
    assert_eq!(about("status read"), expected);
    assert_eq!(about("status projected"), [told("mirror", "")]);
}
