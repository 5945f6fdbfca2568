//! Crashing everywhere finds each bad habit, at the step and the point where it shows.

use onramp::testing::{Crashes, Fault, Finding, Point, Scenario, Work, act, crashes, overtakes};

use super::cloud::{BUSY, Cloud, Company, Dataset, Habits, Workspace, flow};
use super::whole;

async fn crashed(scenario: &Scenario<Workspace>, habits: Habits) -> Crashes {
    let found = crashes(scenario, async || {
        let cloud = Cloud::default();
        (flow(&cloud, habits), async move || cloud.picture())
    });
    let found = found.await;
    println!("{found}");
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_on_purpose_fails_as_often_when_it_crashes() {
    for fault in [Fault::fatal(BUSY), Fault::retryable(BUSY), Fault::panic()] {
        for fails in [act::fails::<_, Dataset>, act::fails_late::<_, Dataset>] {
            let scenario = Scenario::new()
                .given(fails(1, fault))
                .given(act::answer(Company {
                    name: "Acme".into(),
                }));
            crashed(&scenario, Habits::default()).await.expect_none();
        }
    }
}

#[tokio::test]
async fn what_a_scenario_takes_back_itself_is_crashed_too() {
    let revised = Scenario::new()
        .given(act::answer(Company {
            name: "Acme".into(),
        }))
        .given(act::revise(Company {
            name: "Renamed".into(),
        }))
        .given(act::cancel());
    crashed(&revised, Habits::default()).await.expect_none();
    let habits = Habits {
        undoes_once: true,
        ..Habits::default()
    };
    let found = crashed(&revised, habits).await;
    assert!(places(&found).contains(&(DATASET, UNDO, Point::AfterEffect, false)));
}

type Where<'a> = (Option<&'a str>, Option<Work>, Point, bool);

fn places(found: &Crashes) -> Vec<Where<'_>> {
    let findings = found.findings().iter();
    findings
        .map(|finding| {
            let Finding {
                work,
                point,
                cancelled,
                ..
            } = *finding;
            let step = finding.step.as_ref();
            (step.map(onramp::StepName::as_str), work, point, cancelled)
        })
        .collect()
}

const RUN: Option<Work> = Some(Work::Run);
const UNDO: Option<Work> = Some(Work::Undo);
const SITE: Option<&str> = Some("build_site");
const DATASET: Option<&str> = Some("create_dataset");

#[tokio::test]
async fn idempotent_tasks_survive_every_crash() {
    let found = crashed(&whole(), Habits::default()).await;
    found.expect_none();
    // Forward: 9 around the calls of two tasks (one of which waits once) and 6 around the reports. Back:
    // 5 with a cancellation at a call, 1 at the end, and 4 + 4 more around that one's calls and reports.
    assert_eq!((found.runs(), found.missed()), (29, 0));
}

#[tokio::test]
async fn a_task_that_makes_its_effect_again_is_found_after_its_effect() {
    let habits = Habits {
        makes_again: true,
        ..Habits::default()
    };
    let found = crashed(&whole(), habits).await;
    let expected = [
        (SITE, RUN, Point::AfterEffect, false),
        (SITE, RUN, Point::ReportLost, false),
    ];
    assert_eq!(places(&found), expected);
    let first = &found.findings()[0];
    assert!(first.difference.contains("\": 2,"), "{}", first.difference);
    assert!(
        first.story.contains("fact_recorded build_site attempt=2"),
        "{}",
        first.story
    );
    let heading = "build_site, run: crashed after its effect, before its report";
    assert!(found.to_string().contains(heading), "{found}");
}

#[tokio::test]
async fn an_undo_that_has_to_be_told_what_was_made_leaks() {
    let habits = Habits {
        needs_telling: true,
        ..Habits::default()
    };
    let found = crashed(&whole(), habits).await;
    let expected = [
        (SITE, RUN, Point::DuringEffect(1), true),
        (SITE, RUN, Point::AfterEffect, true),
    ];
    assert_eq!(places(&found), expected);
    let why = "its undo, which is not given the fact then, does not take all back";
    assert!(found.to_string().contains(why), "{found}");
}

#[tokio::test]
async fn an_undo_that_leaves_something_behind_is_found_in_peace() {
    let habits = Habits {
        leaves_backup: true,
        ..Habits::default()
    };
    let found = crashed(&whole(), habits).await;
    assert!(places(&found).contains(&(DATASET, UNDO, Point::Undisturbed, true)));
    assert!(found.findings()[0].difference.contains("backup/"));
}

#[tokio::test]
async fn an_undo_that_works_once_is_found_after_its_effect() {
    let habits = Habits {
        undoes_once: true,
        ..Habits::default()
    };
    let found = crashed(&whole(), habits).await;
    for point in [Point::AfterEffect, Point::ReportLost] {
        assert!(
            places(&found).contains(&(DATASET, UNDO, point, true)),
            "{point}"
        );
    }
    assert!(!places(&found).contains(&(DATASET, UNDO, Point::BeforeEffect, true)));
    assert!(!places(&found).contains(&(DATASET, UNDO, Point::InDoubt, true)));
}

#[tokio::test]
async fn a_task_that_cannot_go_on_from_its_middle_is_found_there() {
    let habits = Habits {
        half_made: true,
        ..Habits::default()
    };
    let found = crashed(&whole(), habits).await;
    assert_eq!(places(&found), [(SITE, RUN, Point::DuringEffect(1), false)]);
    assert!(found.findings()[0].difference.contains("it ended:"));
}

#[tokio::test]
async fn a_task_that_looks_before_it_makes_is_found_when_it_is_overtaken() {
    let overtaken = async |habits| {
        overtakes(&whole(), async || {
            let cloud = Cloud::default();
            (flow(&cloud, habits), async move || cloud.picture())
        })
        .await
    };
    let found = overtaken(Habits::default()).await;
    found.expect_none();
    assert_eq!((found.runs(), found.missed()), (1, 0));

    let habits = Habits {
        looks_first: true,
        ..Habits::default()
    };
    crashed(&whole(), habits).await.expect_none();
    let found = overtaken(habits).await;
    assert_eq!(places(&found), [(SITE, RUN, Point::Overtaken(1), false)]);
    let heading = "build_site, run: paused at await 1, and going on when another attempt";
    assert!(found.to_string().contains(heading), "{found}");
}

#[tokio::test]
async fn a_task_with_a_single_attempt_gives_up_when_it_crashes() {
    let habits = Habits {
        attempts: 1,
        ..Habits::default()
    };
    let found = crashed(&whole(), habits).await;
    assert!(places(&found).contains(&(DATASET, RUN, Point::BeforeEffect, false)));
    assert!(found.findings()[0].difference.contains("interrupted"));
}

#[tokio::test]
#[should_panic(expected = "it is pending")]
async fn a_scenario_has_to_hold_undisturbed() {
    let wrong = whole().then(onramp::testing::check::stage(
        onramp::lifecycle::StageKind::Pending,
    ));
    let _ = crashed(&wrong, Habits::default()).await;
}

#[tokio::test]
#[should_panic(expected = "two undisturbed runs differ")]
async fn a_world_that_is_another_one_each_time_tells_nothing() {
    let _ = crashes(&whole(), async || {
        let chance = uuid::Uuid::new_v4();
        (
            flow(&Cloud::default(), Habits::default()),
            async move || chance,
        )
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "nothing to disturb")]
async fn a_scenario_without_tasks_holds_nothing() {
    crashed(&Scenario::new(), Habits::default())
        .await
        .expect_none();
}
