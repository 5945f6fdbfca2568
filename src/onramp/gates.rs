//! Checking gates: all at once, each in its time, and closed when in doubt.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::flow::{Clearance, Flow, NotCleared};
use crate::flow::{GateClosed, GateCode, GateContext, Problem};
use crate::id::{SubjectId, TenantId};
use crate::lifecycle::{Onboarding, Pending};
use crate::onramp::Onramp;

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
        let reports = self.check_gates(pending.tenant(), pending.subject()).await;
        let closed = reports.into_iter().filter_map(|report| {
            let why = report.result.err()?;
            Some((report.gate, why))
        });
        let closed: Vec<_> = closed.collect();
        if closed.is_empty() {
            Ok(Clearance::granted(pending.id(), self.clock.now()))
        } else {
            Err(NotCleared::new(closed))
        }
    }
}

type Checking<'a> = Pin<Box<dyn Future<Output = Result<(), GateClosed>> + Send + 'a>>;

/// Checks every gate, in their order.
async fn check(gates: &[GateCode], cx: &GateContext) -> Vec<GateReport> {
    let begun = Instant::now();
    let mut open = Vec::new();
    let mut checking: Vec<(Checking<'_>, Instant)> = Vec::new();
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
        let in_doubt = || (Err(unknown("it was not checked")), Duration::ZERO);
        let (result, took) = ended.next().unwrap_or_else(in_doubt);
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

type Ended = (Result<(), GateClosed>, Duration);

/// Waits for all of them, for none longer than until its time.
async fn all(mut checking: Vec<(Checking<'_>, Instant)>, begun: Instant) -> Vec<Ended> {
    let mut ended: Vec<Option<Ended>> = checking.iter().map(|_| None).collect();
    let mut alarm = None;
    poll_fn(|cx| {
        for ((check, until), ended) in checking.iter_mut().zip(&mut ended) {
            if ended.is_some() {
                continue;
            }
            *ended = poll_one(check, *until, cx).map(|result| (result, begun.elapsed()));
        }
        let waiting = checking.iter().zip(&ended).filter(|(_, e)| e.is_none());
        match waiting.map(|((_, until), _)| *until).min() {
            None => Poll::Ready(()),
            Some(next) => {
                alarm = Some(Alarm::at(next, cx.waker().clone()));
                Poll::Pending
            }
        }
    })
    .await;
    ended.into_iter().flatten().collect()
}

fn poll_one(
    check: &mut Checking<'_>,
    until: Instant,
    cx: &mut Context<'_>,
) -> Option<Result<(), GateClosed>> {
    // It is never polled again after a panic.
    let polled = std::panic::catch_unwind(AssertUnwindSafe(|| check.as_mut().poll(cx)));
    match polled {
        Ok(Poll::Ready(result)) => Some(result),
        Ok(Poll::Pending) if Instant::now() < until => None,
        Ok(Poll::Pending) => Some(Err(unknown("the check took too long"))),
        Err(_) => Some(Err(unknown("the check panicked"))),
    }
}

/// Wakes a task at a time, on a thread of its own: gates are checked without a runtime, too, and few of
/// them take long enough to need one. Dropped, it does nothing.
struct Alarm(Arc<(Mutex<bool>, Condvar)>);

impl Alarm {
    fn at(time: Instant, waker: Waker) -> Self {
        let off = Arc::new((Mutex::new(false), Condvar::new()));
        let state = Arc::clone(&off);
        let thread = std::thread::Builder::new().name("onramp-gates".to_owned());
        let started = thread.spawn(move || {
            let (is_off, changed) = &*state;
            let guard = is_off.lock().unwrap_or_else(PoisonError::into_inner);
            let wait = time.saturating_duration_since(Instant::now());
            // Somewhat late, so that the time is over for whoever is woken.
            let wait = wait + Duration::from_millis(1);
            let ended = changed.wait_timeout_while(guard, wait, |is_off| !*is_off);
            let is_off = ended.map_or_else(|poisoned| *poisoned.into_inner().0, |(off, _)| *off);
            if !is_off {
                waker.wake();
            }
        });
        if let Err(error) = started {
            // Without it a check that hangs is found when anything else wakes the task.
            drop(error);
        }
        Self(off)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let (is_off, changed) = &*self.0;
        *is_off.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}
