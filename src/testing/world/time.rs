//! Work is done, and time moves on where it alone is waited for.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::flow::Flow;
use crate::id::FlowName;
use crate::lifecycle::{Next, WaitingFor, next};
use crate::store::{Error, ErrorKind};
use crate::testing::world::World;
use crate::time::Clock as _;

/// After so many turns it goes round in circles.
const TURNS: usize = 10_000;

/// The onboardings listed at once.
const PAGE: usize = 100;

/// Why a world did not come to rest.
///
/// ```
/// use onramp::testing::Unsettled;
/// assert!(Unsettled::Restless.to_string().starts_with("it goes round in circles"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsettled {
    /// There was always something to do.
    #[error("it goes round in circles: after {TURNS} turns there still is something to do")]
    Restless,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl<F: Flow> World<F> {
    /// Works on whatever is due, without moving time.
    ///
    /// # Errors
    /// [`Unsettled`].
    pub async fn work(&self) -> Result<(), Unsettled> {
        for _ in 0..TURNS {
            if self.script.is_halted() || !self.turn().await? {
                return Ok(());
            }
        }
        Err(Unsettled::Restless)
    }

    /// Works until everything is over or waits for somebody. Where only time is waited for, for
    /// instance between attempts, the clock is moved on; never past somebody's time to answer.
    ///
    /// # Errors
    /// [`Unsettled`].
    pub async fn settle(&self) -> Result<(), Unsettled> {
        for _ in 0..TURNS {
            self.work().await?;
            let rest = self.rest().await?;
            let (Some(rest), false) = (rest, self.script.is_halted()) else {
                return Ok(());
            };
            if !self.waits_for_time_alone().await? {
                return Ok(());
            }
            self.clock.advance(rest);
        }
        Err(Unsettled::Restless)
    }

    /// Lets time pass, and works on what gets due on the way.
    ///
    /// # Errors
    /// [`Unsettled`].
    pub async fn pass(&self, time: Duration) -> Result<(), Unsettled> {
        let mut left = time;
        for _ in 0..TURNS {
            self.work().await?;
            match self.rest().await? {
                Some(rest) if rest <= left && !self.script.is_halted() => {
                    self.clock.advance(rest);
                    left -= rest;
                }
                _ => {
                    self.clock.advance(left);
                    return Ok(());
                }
            }
        }
        Err(Unsettled::Restless)
    }

    /// One turn of a process that lives as long as it lasts, or dies in it.
    async fn turn(&self) -> Result<bool, Error> {
        let chance = Arc::clone(&self.chance);
        let engine = Engine::builder(Arc::clone(self.store()))
            .flow(&self.tapped)
            .clock(self.clock.clone())
            .rolls(move || chance.roll())
            .build();
        tokio::select! {
            biased;
            () = self.script.died() => Ok(true),
            turn = engine.turn() => match turn {
                // The lease runs out, and another claim goes on.
                Err(error) if error.kind() == ErrorKind::InDoubt => Ok(true),
                turn => turn,
            },
        }
    }

    /// How long until something is due.
    async fn rest(&self) -> Result<Option<Duration>, Error> {
        let flow = FlowName::from_static(F::NAME);
        self.store().next_due(&[flow]).await
    }

    /// Whether some onboarding goes on when time passes, without anybody doing anything.
    async fn waits_for_time_alone(&self) -> Result<bool, Error> {
        let store = self.store();
        let (plan, now) = (self.onramp.flow().plan(), self.clock.now());
        let mut after = None;
        loop {
            let page = store.list(after, PAGE).await?;
            for listed in &page {
                let row = store.load(&listed.key.tenant, listed.id).await?;
                let due = row.map_or(Next::Nothing, |row| next(&row.state, plan, now));
                let time = WaitingFor::Time;
                match due {
                    Next::Wait { on, .. } if on != time => {}
                    Next::Nothing => {}
                    _ => return Ok(true),
                }
            }
            after = page.last().map(|listed| listed.id);
            if page.len() < PAGE {
                return Ok(false);
            }
        }
    }
}
