//! How tasks are made to fail.

use crate::flow::{Problem, TaskError};

/// How a task is made to fail.
///
/// ```
/// use onramp::flow::Problem;
/// use onramp::testing::Fault;
/// const BUSY: Problem = Problem::new("provider_busy", "Our provider is busy.");
/// let ways = [Fault::retryable(BUSY), Fault::fatal(BUSY), Fault::panic()];
/// assert_ne!(ways[0], ways[1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(Way);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Error { problem: Problem, retryable: bool },
    Panic,
}

impl Fault {
    /// By an error that is worth another attempt.
    #[must_use]
    pub const fn retryable(problem: Problem) -> Self {
        let retryable = true;
        Self(Way::Error { problem, retryable })
    }

    /// By an error that is final.
    #[must_use]
    pub const fn fatal(problem: Problem) -> Self {
        let retryable = false;
        Self(Way::Error { problem, retryable })
    }

    /// By a panic.
    #[must_use]
    pub const fn panic() -> Self {
        Self(Way::Panic)
    }

    /// Fails in this way.
    #[expect(clippy::panic, reason = "the panic that the test asked for")]
    pub(super) fn strike(self) -> TaskError {
        const CAUSE: &str = "the test wanted it";
        match self.0 {
            Way::Panic => panic!("{CAUSE}"),
            Way::Error { problem, retryable } => match retryable {
                true => TaskError::retryable(problem, CAUSE),
                false => TaskError::fatal(problem, CAUSE),
            },
        }
    }

    pub(super) fn describe(self) -> String {
        match self.0 {
            Way::Panic => "a panic".to_owned(),
            Way::Error { problem, retryable } => {
                let kind = if retryable { "retryable" } else { "final" };
                format!("{} ({kind})", problem.code())
            }
        }
    }
}

/// A failure to come: of the attempt alone, or after its effect was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    pub(super) after: bool,
}
