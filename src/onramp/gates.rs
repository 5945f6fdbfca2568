//! Checking gates: all at once, each in its time, and closed when in doubt.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::flow::{Clearance, Flow, NotCleared};
use crate::flow::{GateClosed, GateCode, GateContext, Problem};
use crate::id::{SubjectId, TenantId};
use crate::lifecycle::{Onboarding, Pending};
use crate::onramp::Onramp;
use crate::onramp::within::{Ended, all};

/// What came of checking one gate.
///
/// ```
/// # use onramp::GateReport;
/// fn say(report: &GateReport) -> String {
///     match &report.result {
///         Ok(()) => format!("{} is open", report.gate),
///         Err(closed) => format!("{} is closed: {}", report.gate, closed.problem().message()),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateReport {
    /// The gate's name.
    pub gate: &'static str,
    /// Open, or why it is closed.
    pub result: Result<(), GateClosed>,
    /// How long the check took.
    pub took: Duration,
    /// Whether it was not checked now, because it was open a moment ago.
    pub cached: bool,
}

impl<F: Flow> Onramp<F> {
    /// Checks every gate of the flow for a subject, and tells of each: for health reports, too. All
    /// are checked at once; one that takes longer than its timeout, or panics, counts as closed.
    ///
    /// ```
    /// # use onramp::prelude::*;
    /// # async fn health<F: Flow>(onramp: &Onramp<F>, tenant: &TenantId, probe: &SubjectId) -> bool {
    /// let reports = onramp.check_gates(tenant, probe).await;
    /// reports.iter().all(|report| report.result.is_ok())
    /// # }
    /// ```
    pub async fn check_gates(&self, tenant: &TenantId, subject: &SubjectId) -> Vec<GateReport> {
        let cx = GateContext::new(tenant.clone(), subject.clone());
        check(&self.flow.parts().gates, &cx).await
    }

    /// Checks every gate of the flow, for this onboarding.
    ///
    /// # Errors
    /// [`NotCleared`] lists every gate that is closed.
    pub async fn clear(
        &self,
        pending: &Onboarding<F, Pending>,
    ) -> Result<Clearance<F>, NotCleared> {
        let (tenant, subject) = (pending.tenant(), pending.subject());
        self.all_open(tenant, subject).await?;
        Ok(Clearance::granted(pending.id(), self.clock.now()))
    }

    /// Checks every gate of the flow.
    pub(super) async fn all_open(
        &self,
        tenant: &TenantId,
        subject: &SubjectId,
    ) -> Result<(), NotCleared> {
        let reports = self.check_gates(tenant, subject).await;
        let closed = reports.into_iter().filter_map(|report| {
            let why = report.result.err()?;
            Some((report.gate, why))
        });
        let closed: Vec<_> = closed.collect();
        match closed.is_empty() {
            true => Ok(()),
            false => Err(NotCleared::new(closed)),
        }
    }
}

/// Checks every gate, in their order.
async fn check(gates: &[GateCode], cx: &GateContext) -> Vec<GateReport> {
    let begun = Instant::now();
    let mut open = Vec::new();
    let mut checking = Vec::new();
    for code in gates {
        let until = *code
            .open_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.push(until.is_some_and(|until| until > begun));
        let gate = &code.gate;
        if open.last() == Some(&false) {
            checking.push((gate.check(cx), begun + gate.timeout()));
        }
    }
    let mut ended = all(checking, begun).await.into_iter();
    let reports = gates.iter().zip(open).map(|(code, cached)| {
        let gate = code.gate.name();
        if cached {
            let (result, took) = (Ok(()), Duration::ZERO);
            return GateReport {
                gate,
                result,
                took,
                cached,
            };
        }
        let (result, took) = match ended.next() {
            Some((Ended::Gave(result), took)) => (result, took),
            Some((Ended::TookTooLong, took)) => (Err(unknown("the check took too long")), took),
            Some((Ended::Panicked, took)) => (Err(unknown("the check panicked")), took),
            None => (Err(unknown("it was not checked")), Duration::ZERO),
        };
        let open_for = code.gate.open_for();
        if result.is_ok() && !open_for.is_zero() {
            let until = Some(Instant::now() + open_for);
            *code
                .open_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = until;
        }
        GateReport {
            gate,
            result,
            took,
            cached,
        }
    });
    reports.collect()
}

fn unknown(detail: &str) -> GateClosed {
    GateClosed::new(Problem::GATE_UNKNOWN, detail)
}
