//! Copies at an identity provider, which anybody may have written: a wrong page at most, and no way in.

use std::sync::Arc;

use onramp::Key;
use onramp::admission::Admission;
use onramp::prelude::*;
use onramp::status::Status;
use onramp::tiers::{MemoryMirror, Mirror as _, Reading, Tiered};

use super::dice::{Dice, Hunt};
use super::mutate;
use crate::support::{Desk, Faults};

#[test]
fn a_forged_copy_breaks_no_reader_and_lets_nobody_in() {
    let hunt = Hunt::named("a_forged_copy_breaks_no_reader_and_lets_nobody_in");
    let subject = SubjectId::new("org-1").unwrap();
    let desk = hunt.runtime.block_on(async {
        let desk = Desk::new(Arc::new(MemoryStore::new()), Faults::default());
        let _ = desk.answered("org-1").await;
        desk
    });
    let mirror = Arc::new(MemoryMirror::default());
    let tiered = Tiered::builder(desk.onramp.clone()).mirror(Arc::clone(&mirror));
    let tiered = tiered.build().unwrap();
    let key = Key {
        tenant: desk.tenant().clone(),
        flow: desk.onramp.flow().plan().flow().clone(),
        subject: subject.clone(),
    };
    let good = hunt.runtime.block_on(async {
        tiered
            .projector()
            .project(desk.tenant(), &subject)
            .await
            .unwrap();
        mirror.load(&key).await.unwrap().text.unwrap()
    });
    hunt.run(async |dice: &mut Dice| {
        mirror.forge(&key, Some(mutate::json(dice, &good)));
        tiered.forget(desk.tenant(), &subject);
        let Reading::Known(read) = tiered.read(desk.tenant(), &subject).await else {
            panic!("the database says what is so");
        };
        assert_eq!(read.value.subject, subject);
        let admitted = desk.onramp.admit(desk.tenant(), &subject).await;
        assert!(!matches!(admitted, Admission::Granted(_)));
        tiered
            .projector()
            .project(desk.tenant(), &subject)
            .await
            .unwrap();
        let mended = mirror.load(&key).await.unwrap().text.unwrap();
        let of = |text: &str| {
            let copy: serde_json::Value = serde_json::from_str(text).unwrap();
            serde_json::from_value::<Status>(copy["status"].clone()).unwrap()
        };
        assert_eq!(of(&mended), of(&good));
    });
}
