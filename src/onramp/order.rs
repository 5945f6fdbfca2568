//! One action as it is ordered: by whom, under which identity, on top of what.

use chrono::{DateTime, Utc};

use crate::flow::{Flow, Plan};
use crate::id::{Actor, CommandId, OnboardingId, Revision, TenantId};
use crate::lifecycle::{Command, Rejected, StageKind, State};
use crate::onramp::{Bulk, NotDone, Onramp};
use crate::store::{
    Before, CommitOutcome, Error, ErrorKind, Proposal, Refused, Row, Store, Wish, prepare,
    state_as_of,
};

/// How often one is looked at again when it moves on meanwhile.
const TRIES: u32 = 5;

/// An action, and who orders it: made by [`Bulk::by`].
///
/// ```
/// use onramp::{Actor, Bulk, CommandId, Order, Revision};
/// # let key = CommandId::fresh();
/// # let seen = Revision::new(7);
/// let order: Order = Bulk::Cancel
///     .by(Actor::Operator("ann".into()))
///     .identified(key) // sent twice, it counts once
///     .only_at([seen]); // and only if nobody has changed anything since Ann looked
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an order does nothing until it is carried out"]
pub struct Order {
    action: Bulk,
    by: Actor,
    command: Option<CommandId>,
    seen: Option<Vec<Revision>>,
}

impl Bulk {
    /// Orders it, as this actor.
    pub fn by(self, actor: Actor) -> Order {
        Order {
            action: self,
            by: actor,
            command: None,
            seen: None,
        }
    }
}

impl Order {
    /// Gives it an identity of the caller's, made from an idempotency key say, as
    /// [`Change::identified`](crate::Change::identified) does: the same one carried out twice on an
    /// onboarding counts once, and gives the first result again. Something else under the same
    /// identity is refused.
    pub fn identified(mut self, id: CommandId) -> Self {
        self.command = Some(id);
        self
    }

    /// Only where the onboarding is still at one of these revisions; any other one is
    /// [`NotDone::Stale`]. A repetition is answered all the same.
    pub fn only_at(mut self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        self.seen = Some(revisions.into_iter().collect());
        self
    }
}

/// What an action led to.
///
/// ```
/// # use onramp::Done;
/// fn tell(done: &Done) -> String {
///     format!("it is {} at revision {}", done.stage, done.revision)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// The stage that the onboarding was in then.
    pub stage: StageKind,
    /// The revision that it was at then.
    pub revision: Revision,
}

impl From<&State> for Done {
    fn from(state: &State) -> Self {
        Self {
            stage: state.stage(),
            revision: state.revision(),
        }
    }
}

impl<F: Flow> Onramp<F> {
    /// Carries an order out on one onboarding of a tenant, whatever it is by now.
    ///
    /// # Errors
    /// [`NotDone`].
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// use onramp::{Bulk, CommandId, NotDone, Revision};
    /// # async fn give_up<F: Flow>(
    /// #     onramp: &Onramp<F>, tenant: &TenantId, id: OnboardingId, click: CommandId, seen: Revision,
    /// # ) {
    /// let order = Bulk::Cancel.by(Actor::Operator("ann".into()));
    /// match onramp.carry_out(tenant, id, &order.identified(click).only_at([seen])).await {
    ///     Ok(done) => println!("it is {}", done.stage),
    ///     Err(NotDone::Stale { .. }) => println!("somebody changed it: look again"),
    ///     Err(why) => println!("{why}"),
    /// }
    /// # }
    /// ```
    pub async fn carry_out(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        order: &Order,
    ) -> Result<Done, NotDone> {
        let state = self.led_to(tenant, id, order).await?;
        Ok(Done::from(&state))
    }

    /// The same, with the whole of what it led to.
    pub(crate) async fn led_to(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        order: &Order,
    ) -> Result<State, NotDone> {
        let (store, plan) = (&*self.store, self.flow.plan());
        let done = act(store, (tenant, id), plan, order, self.clock.now()).await;
        done.map(|(state, _)| state)
    }
}

/// Carries an order out on whatever the onboarding is by now. Gives what it led to, and whether
/// anything had to be done.
pub(super) async fn act(
    store: &dyn Store,
    (tenant, id): (&TenantId, OnboardingId),
    plan: &Plan,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<(State, bool), NotDone> {
    let command = order.command.unwrap_or_else(CommandId::fresh);
    for round in 0..TRIES {
        let before = store.load(tenant, id).await?.ok_or(NotDone::Absent)?;
        of_this_flow(&before, plan)?;
        // One of our own may have come through although its answer did not.
        if (order.command.is_some() || round > 0)
            && let Some(first) = repeated(store, &before, command, order).await?
        {
            return Ok((first, true));
        }
        let revision = before.state.revision();
        if let Some(seen) = &order.seen
            && !seen.contains(&revision)
        {
            return Err(NotDone::Stale { revision });
        }
        let commands = [Command {
            by: order.by.clone(),
            action: order.action.action(),
        }];
        let proposal = Proposal {
            before: &before,
            plan,
            command,
            commands: &commands,
            facts: Vec::new(),
            fence: None,
            now,
        };
        let commit = match prepare(proposal) {
            Ok(Some(prepared)) => prepared.commit,
            // What is wished holds already.
            Ok(None) => return Ok((before.state, false)),
            Err(Refused::Rejected(why)) => return Err(NotDone::Rejected(why)),
            Err(Refused::Store(error)) => return Err(NotDone::Store(error)),
        };
        let after = commit.row.state.clone();
        match store.commit(commit).await {
            Ok(CommitOutcome::Committed) => return Ok((after, true)),
            Ok(CommitOutcome::Absent) => return Err(NotDone::Absent),
            Ok(
                CommitOutcome::Replayed { .. }
                | CommitOutcome::Conflict { .. }
                | CommitOutcome::Fenced
                | CommitOutcome::Taken { .. },
            ) => {}
            Err(error) if error.kind() == ErrorKind::InDoubt => {
                return match store.committed(tenant, id, command).await {
                    Ok(Some(_)) => Ok((after, true)),
                    // It may still be on its way.
                    Ok(None) | Err(_) => Err(NotDone::Store(error)),
                };
            }
            Err(error) => return Err(NotDone::Store(error)),
        }
    }
    let message = format!("onboarding {id} kept moving on: try again");
    Err(NotDone::Store(Error::unavailable(message)))
}

/// Before anything is said of it: what another flow's rules would say is nobody's business here.
fn of_this_flow(row: &Row, plan: &Plan) -> Result<(), NotDone> {
    let found = &row.state.key().flow;
    if found == plan.flow() {
        return Ok(());
    }
    Err(NotDone::Rejected(Rejected::WrongFlow {
        expected: plan.flow().clone(),
        found: found.clone(),
    }))
}

/// What the order led to when it came for the first time.
async fn repeated(
    store: &dyn Store,
    row: &Row,
    command: CommandId,
    order: &Order,
) -> Result<Option<State>, NotDone> {
    let (tenant, id) = (&row.state.key().tenant, row.state.id());
    let wish = Wish::of(command, &order.action.intent());
    match wish.before(store, tenant, id).await? {
        Before::Never => Ok(None),
        Before::Other => Err(NotDone::IdentityReused),
        Before::Same(now) => {
            let revision = store.committed(tenant, id, command).await?;
            let then = match revision {
                Some(revision) => state_as_of(store, tenant, id, revision).await?,
                None => None,
            };
            Ok(Some(then.unwrap_or(now.state)))
        }
    }
}
