//! Showing the status from copies: which tier answers, and that copies converge and open nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests stop as tests do")]

mod support;

#[path = "tiers/desk.rs"]
mod desk;
#[path = "tiers/http.rs"]
mod http;
#[path = "tiers/interleaved.rs"]
mod interleaved;
#[path = "tiers/projected.rs"]
mod projected;
#[path = "tiers/provider.rs"]
mod provider;
#[path = "tiers/traced.rs"]
mod traced;

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use desk::{Desk, FRESH, KEEP};
use onramp::admission::Admission;
use onramp::tiers::{InvalidTiers, MemoryMirror, Observed, Reading, Tier, Tiered};

#[tokio::test]
async fn every_combination_of_outages_has_its_answer() {
    for outages in 0..8_u8 {
        let (local, database, mirror) = (outages & 1 == 0, outages & 2 == 0, outages & 4 == 0);
        for fresh in [true, false] {
            let desk = Desk::new();
            let _ = desk.started("org-1").await;
            desk.project("org-1").await;
            desk.clock.pass(if fresh { FRESH / 2 } else { FRESH * 2 });
            if !local {
                desk.forget("org-1");
            }
            desk.database_off.store(!database, SeqCst);
            desk.mirror_off.store(!mirror, SeqCst);

            let reading = desk.read("org-1").await;
            let expected = match (local, database, mirror) {
                (true, ..) if fresh => Some((Tier::Local, false)),
                (_, true, _) => Some((Tier::Database, false)),
                (_, false, true) => Some((Tier::Mirror, true)),
                (true, false, false) => Some((Tier::Local, true)),
                (false, false, false) => None,
            };
            let which =
                format!("local {local} (fresh {fresh}), database {database}, mirror {mirror}");
            match (&reading, expected) {
                (Reading::Known(sourced), Some((source, stale))) => {
                    assert_eq!((sourced.source, sourced.stale), (source, stale), "{which}");
                    assert_eq!(sourced.revision.get(), 2, "{which}");
                    assert_eq!(sourced.value.revision, sourced.revision, "{which}");
                    let age = desk.clock.read() - sourced.as_of;
                    let now = source == Tier::Database;
                    assert_eq!(age.is_zero(), now, "{which}: {age}");
                }
                (Reading::Unknown, None) => {}
                other => unreachable!("{which}: {other:?}"),
            }
            // Whatever is shown, only the database admits.
            let admission = desk.admit("org-1").await;
            let unknown = matches!(admission, Admission::Unknown(_));
            assert_eq!(unknown, !database, "{which}");
            assert!(admission.granted().is_none(), "{which}: it is half-way");
        }
    }
}

#[tokio::test]
async fn nobody_enrolled_is_an_answer_and_not_unknown() {
    let desk = Desk::new();
    assert_eq!(desk.read("nobody").await, Reading::NotEnrolled);
    desk.database_off.store(true, SeqCst);
    assert_eq!(desk.read("nobody").await, Reading::Unknown);
}

#[tokio::test]
async fn a_stale_copy_is_kept_only_so_long() {
    let mut desk = Desk::new();
    desk.tiers = Tiered::builder(desk.behind.clone())
        .fresh_for(Duration::from_millis(1))
        .keep_for(Duration::from_millis(50))
        .build()
        .unwrap();
    let _ = desk.started("org-1").await;
    assert_eq!(desk.read("org-1").await.source(), Tier::Database);
    desk.clock.pass(FRESH);
    desk.database_off.store(true, SeqCst);
    assert_eq!(desk.read("org-1").await.source(), Tier::Local);
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert_eq!(desk.read("org-1").await, Reading::Unknown);
}

#[tokio::test]
async fn copies_are_bounded_in_number() {
    let mut desk = Desk::new();
    desk.tiers = Tiered::builder(desk.behind.clone())
        .capacity(5)
        .build()
        .unwrap();
    for n in 0..50 {
        let _ = desk.started(&format!("org-{n}")).await;
        desk.read(&format!("org-{n}")).await;
    }
    desk.database_off.store(true, SeqCst);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut kept = 0;
    for _ in 0..2 {
        kept = 0;
        for n in 0..50 {
            kept += u32::from(desk.read(&format!("org-{n}")).await != Reading::Unknown);
        }
    }
    assert!(kept <= 5, "{kept}");
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_copy_fresh() {
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    desk.read("org-1").await;
    desk.clock.pass(-KEEP);
    assert_eq!(desk.read("org-1").await.source(), Tier::Database);
}

#[tokio::test]
async fn a_database_that_hangs_is_waited_for_in_bounded_time() {
    let mut desk = Desk::new();
    desk.tiers = Tiered::builder(desk.behind.clone())
        .database_within(Duration::from_millis(30))
        .build()
        .unwrap();
    desk.database_hangs.store(true, SeqCst);
    let read = tokio::time::timeout(Duration::from_secs(5), desk.read("org-1"));
    assert_eq!(read.await.unwrap(), Reading::Unknown);
}

#[tokio::test]
async fn a_forged_attribute_opens_nothing_and_is_put_right() {
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    desk.project("org-1").await;
    let honest = desk.mirrored("org-1").await.unwrap();
    let forgeries: [fn(&mut serde_json::Value); 7] = [
        |it: &mut serde_json::Value| {
            it["status"]["stage"] = "completed".into();
            it["status"]["needs_onboarding"] = false.into();
        },
        |it| it["status"]["revision"] = u64::MAX.into(),
        |it| it["status"]["onboarding"] = "ffffffff-ffff-7fff-bfff-ffffffffffff".into(),
        |it| it["as_of"] = "2999-01-01T00:00:00Z".into(),
        |it| it["status"]["tenant"] = "other".into(),
        |it| it["form"] = 99.into(),
        |it| *it = "no copy at all".into(),
    ];
    for forge in forgeries {
        let mut forged = honest.clone();
        forge(&mut forged);
        desk.mirror
            .forge(&desk.key("org-1"), Some(forged.to_string()));
        desk.forget("org-1");
        desk.database_off.store(true, SeqCst);
        let reading = desk.read("org-1").await;
        if let Reading::Known(sourced) = &reading {
            assert!(sourced.stale && sourced.as_of <= desk.clock.read());
            assert_eq!(sourced.value.tenant.as_str(), "acme");
        }
        let closed = desk.admit("org-1").await;
        assert!(matches!(closed, Admission::Unknown(_)), "{forged}");

        desk.database_off.store(false, SeqCst);
        assert!(desk.admit("org-1").await.granted().is_none(), "{forged}");
        let reading = desk.read("org-1").await;
        assert_eq!(
            reading.source(),
            Tier::Database,
            "no forgery gets into a local copy"
        );
        assert_eq!(reading.status().unwrap().revision.get(), 2);
        desk.project("org-1").await;
        let healed = desk.mirrored("org-1").await.unwrap();
        assert_eq!(healed["status"], honest["status"], "put right");
    }
}

#[tokio::test]
async fn a_local_copy_that_is_newer_is_shown_before_an_older_mirror() {
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    desk.project("org-1").await;
    desk.login("org-1").await;
    desk.clock.pass(FRESH * 2);
    assert_eq!(desk.read("org-1").await.source(), Tier::Database);
    desk.clock.pass(FRESH * 2);
    desk.database_off.store(true, SeqCst);
    let Reading::Known(sourced) = desk.read("org-1").await else {
        unreachable!("two copies are there")
    };
    assert_eq!((sourced.source, sourced.revision.get()), (Tier::Local, 3));
}

#[tokio::test]
async fn an_observer_is_told_which_tier_answered() {
    let seen: Arc<Mutex<Vec<(Tier, bool)>>> = Arc::default();
    let mut desk = Desk::new();
    let told = Arc::clone(&seen);
    desk.tiers = Tiered::builder(desk.behind.clone())
        .observe(move |observed| {
            if let Observed::Read { tier, stale, .. } = observed {
                told.lock().unwrap().push((*tier, *stale));
            }
        })
        .build()
        .unwrap();
    let _ = desk.started("org-1").await;
    desk.read("org-1").await;
    desk.read("org-1").await;
    desk.database_off.store(true, SeqCst);
    desk.clock.pass(KEEP);
    desk.read("org-1").await;
    desk.forget("org-1");
    desk.read("org-1").await;
    let expected = [
        (Tier::Database, false),
        (Tier::Local, false),
        (Tier::Local, true),
        (Tier::Default, true),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn settings_that_make_no_sense_are_refused_when_it_is_built() {
    let of = || Tiered::builder(Desk::new().behind).mirror(MemoryMirror::default());
    let zero = Duration::ZERO;
    for (built, setting) in [
        (of().capacity(0).build(), "capacity"),
        (of().fresh_for(zero).build(), "fresh_for"),
        (of().keep_for(zero).build(), "keep_for"),
        (of().database_within(zero).build(), "database_within"),
        (of().mirror_within(zero).build(), "mirror_within"),
    ] {
        assert_eq!(built.unwrap_err(), InvalidTiers::Zero { setting });
    }
    let day = Duration::from_secs(86_400);
    let longer = of().fresh_for(day * 2).keep_for(day).build();
    assert_eq!(longer.unwrap_err(), InvalidTiers::FreshForLongerThanKept);
}
