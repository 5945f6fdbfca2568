//! The guards of the protocol. A model with one taken out must be found out, or the model proves nothing.

/// What keeps the protocol right, each in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    // Of the store.
    /// A worker's commit names the newest claim.
    Fence,
    /// A commit is stored on top of the revision that it was decided on.
    Revision,
    /// A command that was committed before is known again.
    Commands,
    /// An attempt is counted when it is claimed.
    AttemptsCounted,
    /// What is leased is claimed again only when the lease has run out.
    Leased,
    /// Only the newest claim is renewed.
    Renewal,
    /// Only its holder gives a lease back.
    Return,
    /// Parking looks at the revision.
    Parking,
    /// A wake-up leaves a lease alone.
    WakeUp,
    /// Messages are part of the commit.
    Outbox,
    /// Only the oldest message of an onboarding is handed out.
    Oldest,
    /// Settling names the newest handing out.
    Settling,
    /// A handing out is counted when it is made.
    DeliveriesCounted,
    // Of the rules.
    /// The last effect is taken back first.
    Backwards,
    /// An attempt that may be under way is taken back as well.
    UnderWay,
    /// A failure names what could not be taken back.
    Remainder,
    /// Nothing is complete before a worker has looked.
    Verification,
    /// A failed attempt stays counted, also when the next one is due at once.
    RetryCounted,
    /// A wrong token is counted.
    WrongTokens,
    /// A token serves for its time.
    TokenTime,
    // Of the worker.
    /// What was claimed more often than allowed is not begun again.
    Allowed,
    /// What an attempt has made is reported also when somebody else has moved the onboarding.
    LateReport,
    // Of the relay.
    /// A message is settled after it was told.
    ToldFirst,
    /// A message is called the same whenever it is told.
    Identity,
    /// A message that was handed out more often than allowed is given up.
    GivenUp,
    // Of the vault.
    /// A secret's commit is on top of the row that was read.
    OneWinner,
    /// A secret comes out after the journal has it.
    JournalFirst,
}

/// All guards but one, or all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guards(Option<Guard>);

impl Guards {
    pub(crate) const ALL: Self = Self(None);

    pub(crate) fn without(guard: Guard) -> Self {
        Self(Some(guard))
    }

    pub(crate) fn hold(self, guard: Guard) -> bool {
        self.0 != Some(guard)
    }
}
