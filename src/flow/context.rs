//! For whom, which time, and under which key a task runs.

use std::sync::Arc;

use chrono::DateTime;
#[cfg(feature = "tokio")]
use chrono::TimeDelta;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::Cancellation;
use crate::id::{Fence, OnboardingId, StepName, SubjectId, TenantId};

/// Which way a task is run.
///
/// ```
/// use onramp::flow::Direction;
/// assert_eq!(Direction::Undo.as_str(), "undo");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Forward: [`Task::run`](crate::flow::Task::run) and [`Task::verify`](crate::flow::Task::verify).
    Run,
    /// Back: [`Task::undo`](crate::flow::Task::undo).
    Undo,
}

impl Direction {
    /// `"run"` or `"undo"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Undo => "undo",
        }
    }
}

/// For whom, which time, and under which key a task runs.
///
/// ```
/// use onramp::flow::{Direction, TaskContext};
/// use onramp::{OnboardingId, StepName, SubjectId, SystemClock, Clock, TenantId};
///
/// let cx = TaskContext::new(
///     OnboardingId::fresh(),
///     TenantId::new("acme")?,
///     SubjectId::new("org-001")?,
///     StepName::from_static("create_dataset"),
///     Direction::Run,
///     1, // attempt
///     0, // round: how often the effect was undone before
///     SystemClock.now(),
/// );
/// assert_eq!(cx.attempt(), 1);
/// # Ok::<(), onramp::InvalidId>(())
/// ```
#[derive(Clone)]
pub struct TaskContext {
    onboarding: OnboardingId,
    tenant: TenantId,
    subject: SubjectId,
    step: StepName,
    direction: Direction,
    attempt: u32,
    round: u32,
    started_at: DateTime<Utc>,
    deadline: Option<DateTime<Utc>>,
    cancellation: Cancellation,
    progress: Option<Arc<dyn ProgressSink>>,
    fence: Option<Fence>,
}

/// Where an attempt's progress goes.
pub(crate) trait ProgressSink: Send + Sync {
    fn report(&self, progress: Progressed);
}

/// How far an attempt is, as its task says.
///
/// ```
/// use onramp::flow::Progressed;
/// fn percent(progress: Progressed) -> u32 {
///     progress.done * 100 / progress.of.max(1)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progressed {
    /// So many parts are done.
    pub done: u32,
    /// Of so many.
    pub of: u32,
    /// What people are told. Fixed when the program is written, so no internal detail gets in.
    pub message: &'static str,
}

impl TaskContext {
    /// A context. The engine makes these; hosts make them to test a task by itself.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one plain datum of the attempt"
    )]
    #[must_use]
    pub fn new(
        onboarding: OnboardingId,
        tenant: TenantId,
        subject: SubjectId,
        step: StepName,
        direction: Direction,
        attempt: u32,
        round: u32,
        started_at: DateTime<Utc>,
    ) -> Self {
        Self {
            onboarding,
            tenant,
            subject,
            step,
            direction,
            attempt,
            round,
            started_at,
            deadline: None,
            cancellation: Cancellation::default(),
            progress: None,
            fence: None,
        }
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn within(
        mut self,
        timeout: std::time::Duration,
        cancellation: Cancellation,
        progress: Arc<dyn ProgressSink>,
        fence: Fence,
    ) -> Self {
        self.fence = Some(fence);
        let timeout = TimeDelta::from_std(timeout).ok();
        self.deadline = timeout.and_then(|timeout| self.started_at.checked_add_signed(timeout));
        self.cancellation = cancellation;
        self.progress = Some(progress);
        self
    }

    /// The onboarding.
    #[must_use]
    pub fn onboarding(&self) -> OnboardingId {
        self.onboarding
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Who is being onboarded.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// The step.
    #[must_use]
    pub fn step(&self) -> &StepName {
        &self.step
    }

    /// Forward or back.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Which attempt this is, counted from 1 when it was claimed: a crash uses one up.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the attempt began, by the engine's clock.
    #[must_use]
    pub fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// When the attempt ends at the latest, by the engine's clock: its task's timeout. None in a
    /// context that a host has made.
    #[must_use]
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.deadline
    }

    /// The fence of the worker's claim: higher for every claim of this onboarding. Whoever is asked for an
    /// effect and keeps the highest fence it has seen can refuse a worker that was overtaken. None in a
    /// context that a host has made.
    #[must_use]
    pub fn fence(&self) -> Option<Fence> {
        self.fence
    }

    /// Says when nobody waits for the attempt any more: it took too long, its lease was lost, the
    /// worker shuts down. The attempt's own future is dropped then; this is for what it has begun
    /// elsewhere, on a thread or in a task of its own.
    #[must_use]
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Says that so many parts are done of so many, for people who watch. Costs next to nothing and
    /// may be called often; only the newest is kept. Not stored in the journal.
    pub fn progress(&self, done: u32, of: u32, message: &'static str) {
        if let Some(sink) = &self.progress {
            sink.report(Progressed { done, of, message });
        }
    }

    /// The idempotency key of the effect: the same for every attempt at it, and for its undo; a
    /// new one after the effect was undone. A UUID version 5 (RFC 9562) of the onboarding, the
    /// step and how often it was undone.
    #[must_use]
    pub fn effect_key(&self) -> Uuid {
        let name = format!("{}#{}", self.step, self.round);
        Uuid::new_v5(&self.onboarding.as_uuid(), name.as_bytes())
    }
}

impl std::fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskContext")
            .field("onboarding", &self.onboarding)
            .field("tenant", &self.tenant)
            .field("subject", &self.subject)
            .field("step", &self.step)
            .field("direction", &self.direction)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
