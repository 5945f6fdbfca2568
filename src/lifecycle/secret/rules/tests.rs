use super::*;
use crate::flow::{Kind, Plan, PlanStep};
use crate::id::{Key, SubjectId, TenantId};
use crate::lifecycle::digest::Digest;
use crate::lifecycle::{apply, evolve, fold};

const NAME: SecretName = SecretName::from_static("api_key");

fn mark(byte: u8) -> FactMark {
    FactMark {
        version: 1,
        commitment: Digest::from_bytes([byte; 32]),
    }
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

/// An onboarding, and every event of it.
struct Case {
    state: State,
    commits: Vec<Vec<Event>>,
}

impl Case {
    fn new(stage: StageKind) -> Self {
        let plan = Plan::new("workspace", 1, vec![PlanStep::new("company", Kind::Answer)]);
        let plan = plan.unwrap();
        let key = Key {
            tenant: TenantId::new("acme").unwrap(),
            flow: plan.flow().clone(),
            subject: SubjectId::new("org-001").unwrap(),
        };
        let (state, created) = State::create(OnboardingId::fresh(), key, &plan, time(0));
        let mut case = Self {
            state,
            commits: vec![vec![created]],
        };
        if stage != StageKind::Pending {
            case.take(vec![Happened::Started], 0);
        }
        if stage == StageKind::Completed {
            case.take(vec![Happened::Completed], 0);
        }
        case
    }

    fn take(&mut self, happened: Vec<Happened>, at: i64) {
        let events = events(happened, time(at));
        self.state = evolve(self.state.clone(), &events);
        self.commits.push(events);
    }

    fn wish(&mut self, wish: SecretWish, at: i64) -> Result<Vec<&'static str>, Rejected> {
        let events = decide_secret(&self.state, &NAME, &wish, time(at))?;
        let names = events.iter().map(|event| event.happened.name()).collect();
        if !events.is_empty() {
            self.state = evolve(self.state.clone(), &events);
            self.commits.push(events);
        }
        let told = fold(self.commits.iter().map(Vec::as_slice));
        assert_eq!(told.as_ref(), Some(&self.state), "the journal adds up");
        Ok(names)
    }

    fn offer(&mut self, proof: Option<i64>, at: i64) -> Result<Vec<&'static str>, Rejected> {
        let of = self.state.id();
        let proof = proof.map(|at| Proof { of, at: time(at) });
        let (token, until) = (mark(9), time(at + 900));
        self.wish(
            SecretWish::Offer {
                token,
                until,
                proof,
            },
            at,
        )
    }
}

fn offered() -> Case {
    let mut case = Case::new(StageKind::Completed);
    case.wish(SecretWish::Keep { fact: mark(1) }, 0).unwrap();
    case.offer(None, 0).unwrap();
    case
}

#[test]
fn a_secret_is_kept_replaced_and_burnt_in_every_stage() {
    for stage in [
        StageKind::Pending,
        StageKind::InProgress,
        StageKind::Completed,
    ] {
        let mut case = Case::new(stage);
        let keep = |byte| SecretWish::Keep { fact: mark(byte) };
        assert_eq!(case.wish(keep(1), 1).unwrap(), ["secret_kept"]);
        assert_eq!(case.wish(keep(2), 2).unwrap(), ["secret_kept"]);
        let once = SecretWish::KeepOnce { fact: mark(3) };
        assert!(case.wish(once, 3).unwrap().is_empty());
        let known = case.state.secret(&NAME).unwrap();
        assert_eq!((*known.mark(), known.kept_at()), (mark(2), time(2)));
        let rewrap = SecretWish::Rewrap { fact: mark(4) };
        assert_eq!(case.wish(rewrap, 4).unwrap(), ["secret_rewrapped"]);
        assert_eq!(case.state.secret(&NAME).unwrap().kept_at(), time(2));
        assert_eq!(case.wish(SecretWish::Burn, 5).unwrap(), ["secret_burnt"]);
        assert!(case.wish(SecretWish::Burn, 6).unwrap().is_empty());
        let gone = Rejected::NoSecret { name: NAME };
        assert_eq!(case.wish(rewrap, 7), Err(gone));
        assert_eq!(case.wish(once, 8).unwrap(), ["secret_kept"]);
        assert_eq!(case.state.stage(), stage);
    }
}

#[test]
fn it_is_shown_once_and_in_time() {
    let mut case = offered();
    assert_eq!(case.wish(SecretWish::Reveal, 899).unwrap(), ["revealed"]);
    assert_eq!(
        case.wish(SecretWish::Reveal, 899),
        Err(Rejected::RevealUsed)
    );
    assert_eq!(
        case.wish(SecretWish::Refuse, 899),
        Err(Rejected::RevealUsed)
    );
    for wish in [SecretWish::Reveal, SecretWish::Refuse] {
        assert_eq!(offered().wish(wish, 900), Err(Rejected::RevealExpired));
    }
    let mut never = Case::new(StageKind::Completed);
    never.wish(SecretWish::Keep { fact: mark(1) }, 0).unwrap();
    assert_eq!(never.wish(SecretWish::Reveal, 0), Err(Rejected::NotOffered));
}

#[test]
fn five_wrong_tokens_burn_it() {
    let mut case = offered();
    for _ in 0..4 {
        assert_eq!(
            case.wish(SecretWish::Refuse, 1).unwrap(),
            ["reveal_refused"]
        );
    }
    let last = case.wish(SecretWish::Refuse, 1).unwrap();
    assert_eq!(last, ["reveal_refused", "reveal_burnt"]);
    assert_eq!(case.wish(SecretWish::Reveal, 1), Err(Rejected::RevealBurnt));
    let reveal = case.state.secret(&NAME).unwrap().reveal().unwrap();
    assert_eq!((reveal.wrong(), reveal.token()), (5, None));
    // A new offer counts anew.
    case.offer(Some(0), 1).unwrap();
    assert_eq!(case.wish(SecretWish::Reveal, 1).unwrap(), ["revealed"]);
}

#[test]
fn a_second_offer_needs_a_fresh_proof() {
    let mut case = offered();
    assert_eq!(case.offer(None, 1_000), Err(Rejected::ProofNeeded));
    assert_eq!(case.offer(Some(699), 1_000), Err(Rejected::StaleProof));
    assert_eq!(case.offer(Some(1_031), 1_000), Err(Rejected::StaleProof));
    let (token, until) = (mark(9), time(2_000));
    let of = OnboardingId::fresh();
    let at = time(1_000);
    let proof = Some(Proof { of, at });
    let foreign = case.wish(
        SecretWish::Offer {
            token,
            until,
            proof,
        },
        1_000,
    );
    assert_eq!(foreign, Err(Rejected::ForeignProof { proven: of }));
    assert_eq!(case.offer(Some(700), 1_000).unwrap(), ["reveal_offered"]);
    assert_eq!(case.offer(Some(1_030), 1_000).unwrap(), ["reveal_offered"]);
    // Another secret of the name was never offered.
    case.wish(SecretWish::Keep { fact: mark(2) }, 1_100)
        .unwrap();
    assert_eq!(
        case.wish(SecretWish::Reveal, 1_100),
        Err(Rejected::NotOffered)
    );
    assert_eq!(case.offer(None, 1_100).unwrap(), ["reveal_offered"]);
}

#[test]
fn nothing_is_offered_before_the_end() {
    for stage in [StageKind::Pending, StageKind::InProgress] {
        let mut case = Case::new(stage);
        case.wish(SecretWish::Keep { fact: mark(1) }, 0).unwrap();
        assert_eq!(case.offer(None, 0), Err(Rejected::TooEarlyToShow { stage }));
    }
    let mut case = Case::new(StageKind::Completed);
    let gone = Err(Rejected::NoSecret { name: NAME });
    assert_eq!(case.offer(None, 0), gone);
    case.wish(SecretWish::Keep { fact: mark(1) }, 0).unwrap();
    let (token, until, proof) = (mark(9), time(5), None);
    let none = case.wish(
        SecretWish::Offer {
            token,
            until,
            proof,
        },
        5,
    );
    assert_eq!(none, Err(Rejected::NoTimeToShow));
}

#[test]
fn erasing_takes_all_of_it_and_nothing_comes_after() {
    let mut case = offered();
    let slots: Vec<_> = case.state.secret_slots().collect();
    assert_eq!(slots, ["sealed.api_key", "reveal.api_key"]);
    case.take(vec![Happened::FactsErased { steps: slots }], 1);
    assert_eq!(case.state.secrets().count(), 0);
    let keep = case.wish(SecretWish::Keep { fact: mark(1) }, 2);
    assert_eq!(keep, Err(Rejected::Erased));
}

#[test]
fn so_many_are_kept_and_no_more() {
    let mut state = Case::new(StageKind::Pending).state;
    for nth in 0..MAX_SECRETS {
        let name = SecretName::new(format!("key_{nth}")).unwrap();
        let wish = SecretWish::Keep { fact: mark(1) };
        let events = decide_secret(&state, &name, &wish, time(0)).unwrap();
        state = events.iter().fold(state, apply);
    }
    let wish = SecretWish::Keep { fact: mark(1) };
    let refused = decide_secret(&state, &NAME, &wish, time(0));
    assert_eq!(refused, Err(Rejected::TooManySecrets { max: MAX_SECRETS }));
    let known = SecretName::from_static("key_0");
    assert!(decide_secret(&state, &known, &wish, time(0)).is_ok());
}
