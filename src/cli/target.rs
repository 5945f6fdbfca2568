//! Which onboarding a command is about.

use clap::Args;

use crate::cli::problem::Problem;
use crate::store::{Error, Listed, Store};
use crate::{Key, OnboardingId, SubjectId, TenantId};

/// Names one onboarding, or all of a subject.
#[derive(Args, Debug)]
pub(super) struct Target {
    /// The tenant
    #[arg(long, value_parser = tenant)]
    pub(super) tenant: TenantId,
    /// Who is being onboarded
    #[arg(long, value_parser = subject, required_unless_present = "id", conflicts_with = "id")]
    pub(super) subject: Option<SubjectId>,
    /// The onboarding, by the identity that `list` shows
    #[arg(long, value_parser = onboarding)]
    pub(super) id: Option<OnboardingId>,
    /// The flow, if the subject has onboardings in several
    #[arg(long)]
    pub(super) flow: Option<String>,
}

/// An onboarding that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) id: OnboardingId,
    pub(super) key: Key,
}

impl From<Listed> for Found {
    fn from(listed: Listed) -> Self {
        let Listed { id, key, .. } = listed;
        Self { id, key }
    }
}

impl Target {
    /// All that are meant, oldest first; at least one.
    pub(super) async fn all(&self, store: &dyn Store) -> Result<Vec<Found>, Problem> {
        let is_meant = |found: &Found| {
            let flow = self.flow.as_ref();
            flow.is_none_or(|flow| found.key.flow == *flow.as_str())
        };
        let mut found: Vec<Found> = match (&self.subject, self.id) {
            (Some(subject), _) => {
                let listed = store.of_subject(&self.tenant, subject).await?;
                listed.into_iter().map(Found::from).collect()
            }
            (None, Some(id)) => {
                let listed = by_identity(store, &self.tenant, id).await?;
                listed.into_iter().map(Found::from).collect()
            }
            (None, None) => Vec::new(),
        };
        found.retain(is_meant);
        found.sort_by_key(|found| found.id);
        match found.is_empty() {
            true => Err(self.absent()),
            false => Ok(found),
        }
    }

    /// The one that is meant.
    pub(super) async fn one(&self, store: &dyn Store) -> Result<Found, Problem> {
        let mut all = self.all(store).await?;
        if let [_] = all.as_slice() {
            return Ok(all.remove(0));
        }
        let flows: Vec<_> = all.iter().map(|found| found.key.flow.as_str()).collect();
        let message = format!("{} has several onboardings: which?", self.who());
        Err(Problem::usage(message).hint(format!("add --flow, one of {}", flows.join(", "))))
    }

    fn who(&self) -> String {
        let tenant = self.tenant.as_str();
        match (&self.subject, self.id) {
            (Some(subject), _) => format!("subject {:?} of tenant {tenant:?}", subject.as_str()),
            (None, Some(id)) => format!("identity {id} in tenant {tenant:?}"),
            (None, None) => format!("tenant {tenant:?}"),
        }
    }

    fn absent(&self) -> Problem {
        let in_flow = match &self.flow {
            Some(flow) => format!(" in the flow {flow:?}"),
            None => String::new(),
        };
        let message = format!("there is no onboarding of {}{in_flow}", self.who());
        Problem::new("absent", message)
            .hint("identities are compared byte by byte; `list` shows what there is")
    }
}

/// The one of this identity, from a list, which reads no state: also one that is damaged is found.
pub(super) async fn by_identity(
    store: &dyn Store,
    tenant: &TenantId,
    id: OnboardingId,
) -> Result<Option<Listed>, Error> {
    let before = id.as_uuid().as_u128().saturating_sub(1);
    let before = OnboardingId::from_uuid(uuid::Uuid::from_u128(before));
    let mut listed = store.list(Some(before), 1).await?;
    listed.retain(|listed| listed.id == id && listed.key.tenant == *tenant);
    Ok(listed.pop())
}

pub(super) fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::new(text).map_err(|error| error.to_string())
}

pub(super) fn subject(text: &str) -> Result<SubjectId, String> {
    SubjectId::new(text).map_err(|error| error.to_string())
}

pub(super) fn onboarding(text: &str) -> Result<OnboardingId, String> {
    let uuid = uuid::Uuid::parse_str(text);
    let wrong = |_| "give the identity of an onboarding, a UUID, as `list` shows it".to_owned();
    uuid.map(OnboardingId::from_uuid).map_err(wrong)
}
