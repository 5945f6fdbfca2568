//! Which page somebody may see: asked of the store for every request, and of nothing else.

use onramp::admission::{Admission, Proof};
use onramp::status::NextAction;

use crate::accounts::Account;
use crate::app::App;
use crate::reply::Refusal;
use crate::session::Visitor;

/// The pages of the way, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Page {
    Begin,
    Business,
    Plan,
    Payment,
    Setup,
    Dashboard,
}

impl Page {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Begin => "/begin",
            Self::Business => "/business",
            Self::Plan => "/plan",
            Self::Payment => "/payment",
            Self::Setup => "/setup",
            Self::Dashboard => "/dashboard",
        }
    }

    /// The page of what is next. The library says what, never where: the paths are ours.
    fn of(next: &NextAction) -> Self {
        match next {
            NextAction::Enroll | NextAction::Start => Self::Begin,
            NextAction::Proceed => Self::Dashboard,
            NextAction::Answer { step, .. } if step.as_str() == "business_info" => Self::Business,
            NextAction::Answer { .. } => Self::Plan,
            NextAction::Wait {
                step: Some(step), ..
            } if step.as_str() == "payment" => Self::Payment,
            NextAction::Wait {
                step: Some(step), ..
            } if step.as_str() == "email_confirmed" => Self::Begin,
            // Work, its failure, what is to be done about it.
            _ => Self::Setup,
        }
    }

    /// Answers can be looked at again and changed until they are paid for; nothing is ever ahead.
    fn is_open(self, next: Self) -> bool {
        let answered = matches!(self, Self::Business | Self::Plan) && next <= Self::Payment;
        self == next || answered && self < next
    }
}

impl App {
    /// Who is signed in.
    pub(crate) async fn signed_in(&self, visitor: &Visitor) -> Result<Account, Refusal> {
        let Some(id) = &visitor.account else {
            return Err(Refusal::SignIn);
        };
        self.account(id).await?.ok_or(Refusal::SignIn)
    }

    /// Where somebody belongs.
    pub(crate) async fn next_page(&self, account: &Account) -> Result<Page, Refusal> {
        let (tenant, subject) = account.whom()?;
        match self.onramp.admit(&tenant, &subject).await {
            Admission::Granted(_) => Ok(Page::Dashboard),
            Admission::Onboard(next) => Ok(Page::of(&next)),
            Admission::Unknown(retry) => Err(Refusal::unknown(&retry)),
        }
    }

    /// Lets somebody see a page, or sends them to the one that is next.
    pub(crate) async fn enter(&self, visitor: &Visitor, page: Page) -> Result<Account, Refusal> {
        let account = self.signed_in(visitor).await?;
        let next = self.next_page(&account).await?;
        match page.is_open(next) {
            true => Ok(account),
            false => Err(Refusal::Elsewhere(next.path())),
        }
    }

    /// Lets somebody in who is through. What is inside takes the proof.
    pub(crate) async fn admit(&self, visitor: &Visitor) -> Result<(Account, Proof), Refusal> {
        let account = self.signed_in(visitor).await?;
        let (tenant, subject) = account.whom()?;
        match self.onramp.admit(&tenant, &subject).await {
            Admission::Granted(proof) => Ok((account, proof)),
            Admission::Onboard(next) => Err(Refusal::Elsewhere(Page::of(&next).path())),
            Admission::Unknown(retry) => Err(Refusal::unknown(&retry)),
        }
    }
}
