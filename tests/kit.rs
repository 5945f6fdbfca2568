//! The test kit tests a host: its flow in a time of its own, and its tasks by crashing everywhere.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "kit/cloud.rs"]
mod cloud;
#[path = "kit/crashes.rs"]
mod crashes;

use std::time::{Duration, Instant};

use cloud::{BUSY, Brand, Cloud, Company, Dataset, GONE, Habits, Paid, Site, Workspace, flow};
use onramp::Clock;
use onramp::flow::Waits;
use onramp::lifecycle::WaitingFor;
use onramp::prelude::*;
use onramp::testing::{Fault, Scenario, VirtualClock, World, act, check};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn company(name: &str) -> Company {
    let name = name.to_owned();
    Company { name }
}

fn paid() -> Paid {
    let invoice = "inv-1".to_owned();
    Paid { invoice }
}

/// Everything is answered and paid.
fn whole() -> Scenario<Workspace> {
    Scenario::new()
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .given(act::evidence(paid()))
}

fn steady(cloud: &Cloud) -> Definition<Workspace> {
    flow(cloud, Habits::default())
}

#[tokio::test]
async fn evidence_may_come_before_the_start_and_after_everything_else() {
    let early = Scenario::new()
        .given(act::evidence(paid()))
        .then(check::stage(StageKind::Pending))
        .when(act::answer(company("Acme")))
        .then(check::waits_for(WaitingFor::Subject))
        .when(act::skip::<_, Brand>())
        .then(check::completed());
    early.play(steady(&Cloud::default())).await;

    let late = Scenario::new()
        .given(act::answer(company("Acme")))
        .given(act::answer(Brand {
            color: "red".into(),
        }))
        .then(check::waits_for(WaitingFor::ThirdParty))
        .then(check::fact(|dataset: &Dataset| dataset.of == "Acme"))
        .then(check::no_fact::<Site>())
        .when(act::evidence(paid()))
        .when(act::evidence(paid()))
        .then(check::refused("attest is not legal while completed"))
        .then(check::completed());
    late.play(steady(&Cloud::default())).await;
}

#[tokio::test]
async fn a_revised_answer_is_built_on_again() {
    let cloud = Cloud::default();
    let scenario = Scenario::new()
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .when(act::revise(company("Renamed")))
        .then(check::fact(|dataset: &Dataset| dataset.of == "Renamed"))
        .then(check::settled::<Brand>())
        .then(check::waits_for(WaitingFor::ThirdParty));
    scenario.play(steady(&cloud)).await;
    assert_eq!(cloud.count("dataset"), 1, "the first one was taken back");
}

#[tokio::test]
async fn what_is_cancelled_is_taken_back_and_can_be_retried() {
    let cloud = Cloud::default();
    let scenario = Scenario::new()
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .when(act::cancel())
        .then(check::failed("cancelled"))
        .then(check::no_fact::<Dataset>())
        .when(act::cancel())
        .then(check::refused("cancel is not legal while failed"))
        .when(act::evidence(paid()))
        .when(act::retry())
        .then(check::completed());
    scenario.play(steady(&cloud)).await;
    assert_eq!((cloud.count("dataset"), cloud.count("site")), (1, 1));
}

#[tokio::test]
async fn tasks_fail_as_often_and_as_badly_as_wanted() {
    let retried = Scenario::new()
        .given(act::fails::<_, Site>(2, Fault::retryable(BUSY)))
        .given(act::fails::<_, Site>(1, Fault::panic()))
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .when(act::evidence(paid()))
        .then(check::attempts::<Site>(4))
        .then(check::completed());
    retried.play(steady(&Cloud::default())).await;

    let cloud = Cloud::default();
    let given_up = Scenario::new()
        .given(act::fails_late::<_, Site>(1, Fault::fatal(BUSY)))
        .given(act::undo_fails::<_, Dataset>(1, Fault::fatal(GONE)))
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .when(act::evidence(paid()))
        .then(check::that("the dataset remains", |state| {
            state
                .failed()
                .is_some_and(|f| f.remaining == ["create_dataset"])
        }))
        .when(act::retry_undo())
        .then(check::failed("provider_busy"));
    given_up.play(steady(&cloud)).await;
    assert_eq!((cloud.count("dataset"), cloud.count("site")), (0, 0));

    let rebuilt = Scenario::new()
        .given(act::verify_fails::<_, Dataset>(1, Fault::fatal(GONE)))
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .when(act::evidence(paid()))
        .then(check::completed())
        .then(check::that("the dataset was built twice", |state| {
            state
                .step("create_dataset")
                .is_some_and(|step| step.round() == 1)
        }));
    rebuilt.play(steady(&Cloud::default())).await;
}

#[tokio::test]
async fn other_operations_are_acts_too() {
    let scenario = whole()
        .when(act::change("erase", |done: Onboarding<_, Completed>| {
            done.erase::<Completed>()
        }))
        .then(check::no_fact::<Company>())
        .then(check::that("it is erased", |state| {
            state.erased_at().is_some()
        }));
    scenario.play(steady(&Cloud::default())).await;
}

#[tokio::test]
async fn closed_gates_refuse_the_start() {
    let habits = Habits {
        closed: true,
        ..Habits::default()
    };
    let scenario = Scenario::new()
        .when(act::start())
        .then(check::refused("platform (provider_busy)"))
        .then(check::stage(StageKind::Pending));
    scenario.play(flow(&Cloud::default(), habits)).await;
}

#[tokio::test]
async fn a_month_of_retries_takes_no_time() {
    let habits = Habits {
        patience: DAY * 10,
        ..Habits::default()
    };
    let (begun, clock) = (Instant::now(), VirtualClock::new());
    let scenario = Scenario::new()
        .given(act::fails::<_, Dataset>(10, Fault::retryable(BUSY)))
        .given(act::answer(company("Acme")))
        .then(check::attempts::<Dataset>(11))
        .when(act::time_passes(DAY * 30))
        .given(act::skip::<_, Brand>())
        .when(act::evidence(paid()))
        .then(check::completed());
    let world = scenario.play(flow(&Cloud::default(), habits)).await;
    let passed = (world.clock().now() - clock.now()).num_days();
    println!("{passed} days in {:?}", begun.elapsed());
    assert!(passed > 50, "{passed} days");
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn time_stands_still_until_it_is_moved() {
    let habits = Habits {
        patience: DAY,
        ..Habits::default()
    };
    let world = World::seeded(flow(&Cloud::default(), habits), 7);
    let fails = act::fails::<_, Dataset>(1, Fault::retryable(BUSY));
    world.perform(fails).await.unwrap();
    let onramp = world.onramp();
    let found = onramp
        .enroll(world.tenant(), world.subject())
        .await
        .unwrap();
    let pending = found.into_pending().unwrap();
    let clearance = onramp.clear(&pending).await.unwrap();
    let running = onramp.commit(pending.start(clearance)).await.unwrap();
    let _running = onramp
        .commit(running.submit(company("Acme")))
        .await
        .unwrap();

    let now = world.clock().now();
    world.work().await.unwrap();
    let attempts = async || {
        let state = world.state().await.unwrap().unwrap();
        let step = state.step("create_dataset").unwrap();
        (step.attempts(), step.retry_at())
    };
    let (made, retry_at) = attempts().await;
    assert_eq!((made, world.clock().now()), (1, now), "only what was due");
    let delay = (retry_at.unwrap() - now).to_std().unwrap();

    let hair = Duration::from_micros(1);
    world.pass(delay - hair).await.unwrap();
    assert_eq!(attempts().await.0, 1);
    world.pass(hair).await.unwrap();
    assert_eq!(attempts().await.0, 2);
    assert_eq!(world.clock().now(), retry_at.unwrap());
    let id = world.state().await.unwrap().unwrap().id();
    onramp.verify_journal(world.tenant(), id).await.unwrap();
}

#[tokio::test]
async fn the_same_seed_goes_the_same_way() {
    let story = async |seed| {
        let scenario = Scenario::new()
            .seed(seed)
            .given(act::fails::<_, Dataset>(3, Fault::retryable(BUSY)))
            .when(act::answer(company("Acme")));
        let cloud = Cloud::default();
        let world = scenario.play(steady(&cloud)).await;
        let state = world.state().await.unwrap().unwrap();
        let delays = world.clock().now() - state.created_at();
        (world.story().await, cloud.picture(), delays)
    };
    let (one, again, other) = (story(1).await, story(1).await, story(2).await);
    assert_eq!(one, again);
    assert_ne!(one.1, other.1, "other effect keys");
    assert_ne!(one.2, other.2, "other delays");
}

#[tokio::test]
async fn conditions_are_judged_as_the_host_judges_them() {
    for (name, site) in [("Acme", true), ("Small", false)] {
        let flow = Workspace::steps()
            .ask::<Company>()
            .when(|company: &Company| company.name != "Small")
            .expect::<Paid>()
            .build()
            .unwrap();
        let scenario = Scenario::new().when(act::answer(company(name)));
        let scenario = match site {
            true => scenario.then(check::waits_for(WaitingFor::ThirdParty)),
            false => scenario
                .then(check::settled::<Paid>())
                .then(check::completed()),
        };
        scenario.play(flow).await;
    }
}

#[tokio::test]
async fn each_check_can_fail() {
    let said = async |scenario: Scenario<Workspace>| {
        let played = scenario.try_play(steady(&Cloud::default())).await;
        played.unwrap_err().to_string()
    };
    for (check, why) in [
        (check::stage(StageKind::Failed), "it is completed"),
        (check::failed("cancelled"), "it is completed"),
        (check::waits_for(WaitingFor::Subject), "it is completed"),
        (
            check::fact(|_: &Dataset| false),
            "the fact of create_dataset is another one",
        ),
        (check::no_fact::<Site>(), "build_site has one"),
        (check::attempts::<Site>(2), "build_site took 1"),
        (check::refused(""), "it was not refused"),
        (check::that("it is not", |_| false), "it is completed"),
    ] {
        let broken = said(whole().then(check)).await;
        assert!(broken.contains(&format!("but {why}")), "{why}: {broken}");
    }
    let begun = || Scenario::new().when(act::start());
    for (check, why) in [
        (
            check::completed(),
            "it is in_progress, waits for the subject at company",
        ),
        (check::settled::<Dataset>(), "create_dataset is open"),
        (
            check::fact(|_: &Dataset| true),
            "create_dataset has no fact",
        ),
    ] {
        let broken = said(begun().then(check)).await;
        assert!(broken.contains(&format!("but {why}")), "{why}: {broken}");
    }
    let other = begun()
        .when(act::cancel())
        .then(check::failed("provider_busy"));
    assert!(said(other).await.contains("but it is failed: cancelled"));
}

#[tokio::test]
async fn a_failure_explains_itself() {
    let line = line!() + 5;
    let scenario = Scenario::new()
        .seed(42)
        .given(act::fails::<_, Dataset>(1, Fault::retryable(BUSY)))
        .when(act::answer(company("Acme")))
        .then(check::completed());
    let broken = scenario
        .try_play(steady(&Cloud::default()))
        .await
        .unwrap_err()
        .to_string();
    println!("{broken}");
    for part in [
        &format!("tests/kit.rs:{line}:"),
        "then: it is completed",
        "but it is in_progress, waits for the subject at brand",
        "journal of subject-1 in kit_workspace (seed 42)",
        "attempt_failed create_dataset attempt=1 failure=provider_busy retry_at=+00:00:00.",
        "fact_recorded create_dataset attempt=2",
        "answer_submitted company",
    ] {
        assert!(broken.contains(part), "{part:?} is missing");
    }
    assert!(!broken.contains("Acme"), "answers are nobody's business");
}

#[tokio::test]
async fn a_refusal_nobody_expected_breaks_the_scenario() {
    let play = async |scenario: Scenario<Workspace>| {
        let played = scenario.try_play(steady(&Cloud::default())).await;
        played.unwrap_err().to_string()
    };
    let broken = play(Scenario::new().when(act::retry()).then(check::completed())).await;
    assert!(broken.contains("when: retry"), "{broken}");
    assert!(
        broken.contains("it was refused: it takes an onboarding that is failed"),
        "{broken}"
    );
    let given = Scenario::new()
        .given(act::retry())
        .then(check::refused("failed"));
    assert!(
        play(given).await.contains("given: retry"),
        "what is given has to hold"
    );
    let broken = play(whole().then(check::refused("failed"))).await;
    assert!(
        broken.contains("it was not refused: it is completed"),
        "{broken}"
    );
}

#[tokio::test]
#[should_panic(expected = "then: it is pending")]
async fn a_scenario_that_does_not_hold_panics() {
    whole()
        .then(check::stage(StageKind::Pending))
        .play(steady(&Cloud::default()))
        .await;
}

#[tokio::test]
async fn going_round_in_circles_is_told() {
    // It can never be looked at, so it is never completed.
    let scenario = Scenario::new()
        .given(act::verify_fails::<_, Dataset>(
            u16::MAX.into(),
            Fault::retryable(GONE),
        ))
        .given(act::answer(company("Acme")))
        .given(act::skip::<_, Brand>())
        .when(act::evidence(paid()));
    let broken = scenario
        .try_play(steady(&Cloud::default()))
        .await
        .unwrap_err();
    assert!(
        broken.to_string().contains("it goes round in circles"),
        "{broken}"
    );
}

#[tokio::test]
async fn pauses_pass_and_nobodys_time_to_answer_does() {
    let waits = Waits::default()
        .remind_after(DAY * 3)
        .expire_after(DAY * 14);
    let flow = || {
        Workspace::steps()
            .pause("cool_off", DAY * 30)
            .ask::<Company>()
            .waiting(waits.clone())
            .build()
            .unwrap()
    };
    let begun = Scenario::new()
        .when(act::start())
        .then(check::waits_for(WaitingFor::Subject));
    let world = begun.play(flow()).await;
    println!("{}", world.story().await);
    let created = world.state().await.unwrap().unwrap().created_at();
    assert_eq!((world.clock().now() - created).num_days(), 30);

    let late = Scenario::new()
        .given(act::start())
        .given(act::time_passes(DAY * 13))
        .then(check::waits_for(WaitingFor::Subject))
        .when(act::time_passes(DAY))
        .then(check::failed("expired"));
    let world = late.play(flow()).await;
    println!("{}", world.story().await);
    let story = world.story().await;
    assert_eq!(story.matches("reminded company").count(), 1, "{story}");
}
