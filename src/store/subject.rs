//! All that is known of a subject: to hand it out, and to erase it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::flow::slot;
use crate::id::{Actor, FlowName, OnboardingId, Revision, StepName, SubjectId, TenantId};
use crate::lifecycle::{Event, Rejected, StageKind};
use crate::store::contract::Store;
use crate::store::error::{Error, ErrorKind};
use crate::store::prepare::{Refused, prepare_erasure};
use crate::store::record::{CommitOutcome, FactRecord, JournalEntry, Row};

/// How often an onboarding is looked at again when it moves on meanwhile.
const TRIES: u32 = 5;

/// Journal entries that are read at once.
const PAGE: usize = 500;

/// What became of the wish to erase a subject.
///
/// ```
/// # use onramp::store::Erasure;
/// fn is_done(erasure: &Erasure) -> bool {
///     erasure.kept.is_empty()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "some may be kept"]
pub struct Erasure {
    /// Onboardings that hold no facts any more.
    pub erased: Vec<OnboardingId>,
    /// Onboardings whose facts are still needed, and why: one that goes on is cancelled first.
    pub kept: Vec<(OnboardingId, Rejected)>,
}

/// Everything that is stored of a subject, to be serialised. It holds personal data.
///
/// ```
/// # use onramp::store::SubjectExport;
/// fn to_json(export: &SubjectExport) -> Result<String, serde_json::Error> {
///     serde_json::to_string_pretty(export)
/// }
/// ```
#[derive(Serialize)]
#[non_exhaustive]
pub struct SubjectExport {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose it is.
    pub subject: SubjectId,
    /// Every onboarding, oldest first.
    pub onboardings: Vec<OnboardingExport>,
}

impl std::fmt::Debug for SubjectExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubjectExport")
            .field("onboardings", &self.onboardings.len())
            .finish_non_exhaustive()
    }
}

/// Everything that is stored of one onboarding. It holds personal data.
///
/// ```
/// # use onramp::store::OnboardingExport;
/// fn facts(export: &OnboardingExport) -> usize {
///     export.facts.len()
/// }
/// ```
#[derive(Serialize)]
#[non_exhaustive]
pub struct OnboardingExport {
    /// The onboarding.
    pub id: OnboardingId,
    /// Its flow.
    pub flow: FlowName,
    /// The version of the flow that it was created with.
    pub flow_version: u32,
    /// The stage it is in.
    pub stage: StageKind,
    /// The newest revision.
    pub revision: Revision,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When its facts were erased.
    pub erased_at: Option<DateTime<Utc>>,
    /// Its facts.
    pub facts: Vec<FactExport>,
    /// What was filled in and not submitted.
    pub drafts: Vec<FactExport>,
    /// What happened, oldest first.
    pub journal: Vec<EntryExport>,
}

impl std::fmt::Debug for OnboardingExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnboardingExport")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A fact, in clear.
///
/// ```
/// # use onramp::store::FactExport;
/// fn is_of(export: &FactExport, step: &str) -> bool {
///     export.step.as_str() == step
/// }
/// ```
#[derive(Serialize)]
#[non_exhaustive]
pub struct FactExport {
    /// The step that yielded it.
    pub step: StepName,
    /// The version of its type.
    pub version: u32,
    /// What it says.
    pub value: Box<RawValue>,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A journal entry.
///
/// ```
/// # use onramp::store::EntryExport;
/// fn happened(export: &EntryExport) -> Vec<&str> {
///     export.events.iter().map(|event| event.happened.name()).collect()
/// }
/// ```
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EntryExport {
    /// The revision that it made.
    pub revision: Revision,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Erases the facts of every onboarding of a subject that has ended.
pub(super) async fn erase<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    subject: &SubjectId,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<Erasure, Error> {
    let mut erasure = Erasure::default();
    for listed in store.of_subject(tenant, subject).await? {
        match erase_one(store, tenant, listed.id, by, now).await? {
            Ok(()) => erasure.erased.push(listed.id),
            Err(why) => erasure.kept.push((listed.id, why)),
        }
    }
    Ok(erasure)
}

async fn erase_one<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    id: OnboardingId,
    by: &Actor,
    now: DateTime<Utc>,
) -> Result<Result<(), Rejected>, Error> {
    for _ in 0..TRIES {
        let Some(row) = store.load(tenant, id).await? else {
            return Ok(Ok(())); // purged meanwhile
        };
        let commit = match prepare_erasure(&row, by, now) {
            Ok(Some(commit)) => commit,
            Ok(None) => return Ok(Ok(())),
            Err(Refused::Rejected(why)) => return Ok(Err(why)),
            Err(Refused::Store(error)) => return Err(error),
        };
        match store.commit(commit).await? {
            CommitOutcome::Committed | CommitOutcome::Replayed { .. } | CommitOutcome::Absent => {
                return Ok(Ok(()));
            }
            CommitOutcome::Conflict { .. }
            | CommitOutcome::Fenced
            | CommitOutcome::Taken { .. } => {}
        }
    }
    Err(moved(id, "erased"))
}

fn moved(id: OnboardingId, what: &str) -> Error {
    let message = format!("onboarding {id} kept moving on while it was {what}: try again");
    Error::new(ErrorKind::Unavailable, message)
}

/// Reads everything of a subject.
pub(super) async fn export<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    subject: &SubjectId,
) -> Result<SubjectExport, Error> {
    let mut listed = store.of_subject(tenant, subject).await?;
    listed.sort_by_key(|listed| listed.id);
    let mut onboardings = Vec::new();
    for listed in listed {
        onboardings.extend(export_one(store, tenant, listed.id).await?);
    }
    Ok(SubjectExport {
        tenant: tenant.clone(),
        subject: subject.clone(),
        onboardings,
    })
}

/// Everything of one onboarding as of one revision; nothing when it is gone.
async fn export_one<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Option<OnboardingExport>, Error> {
    for _ in 0..TRIES {
        let Some(row) = store.load(tenant, id).await? else {
            return Ok(None);
        };
        let facts = store.facts(tenant, id).await?;
        let journal = whole_journal(store, tenant, id).await?;
        if store.load(tenant, id).await?.as_ref() == Some(&row) {
            return exported(&row, facts, &journal).map(Some);
        }
    }
    Err(moved(id, "exported"))
}

async fn whole_journal<S: Store + ?Sized>(
    store: &S,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Vec<JournalEntry>, Error> {
    let mut journal = Vec::<JournalEntry>::new();
    loop {
        let after = journal.last().map_or(Revision::new(0), |e| e.revision);
        let page = store.journal(tenant, id, after, PAGE).await?;
        if page.is_empty() {
            return Ok(journal);
        }
        journal.extend(page);
    }
}

fn exported(
    row: &Row,
    facts: Vec<FactRecord>,
    journal: &[JournalEntry],
) -> Result<OnboardingExport, Error> {
    let state = &row.state;
    let mut facts: Vec<_> = facts.into_iter().map(fact).collect();
    facts.sort_by(|a, b| a.step.cmp(&b.step));
    let (kept, facts): (Vec<_>, Vec<_>) = facts.into_iter().partition(|f| slot::is_slot(&f.step));
    let drafts = kept.into_iter().filter_map(|kept| {
        let step = slot::drafted_step(&kept.step)?;
        Some(FactExport { step, ..kept })
    });
    let journal = journal.iter().map(|entry| {
        Ok(EntryExport {
            revision: entry.revision,
            by: entry.by.to_string(),
            at: entry.at,
            events: entry.decode()?,
        })
    });
    Ok(OnboardingExport {
        id: state.id(),
        flow: state.key().flow.clone(),
        flow_version: state.flow_version(),
        stage: state.stage(),
        revision: state.revision(),
        created_at: state.created_at(),
        started_at: state.started_at(),
        erased_at: state.erased_at(),
        facts,
        drafts: drafts.collect(),
        journal: journal.collect::<Result<_, Error>>()?,
    })
}

fn fact(record: FactRecord) -> FactExport {
    FactExport {
        step: record.fact.step().clone(),
        version: record.fact.version(),
        by: record.by.to_string(),
        at: record.at,
        value: record.fact.to_json(),
    }
}
