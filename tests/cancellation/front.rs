//! The front door: what hosts call.

use std::convert::Infallible;
use std::time::Duration;

use onramp::flow::Draft;
use onramp::insight::{Cohort, Crossing};
use onramp::prelude::*;
use onramp::store::Retention;
use onramp::{Bulk, Clock as _, SystemClock, Upstream};

use super::drops::{Case, cases};
use super::place::{company, paid, subject};
use crate::support::Company;

/// Knows everybody.
struct Everybody;
impl Upstream for Everybody {
    type Error = Infallible;

    async fn exists(&self, _: &TenantId, _: &SubjectId) -> Result<bool, Infallible> {
        Ok(true)
    }

    async fn page(&self, place: usize) -> Result<Vec<(TenantId, SubjectId)>, Infallible> {
        let tenant = TenantId::new("acme").unwrap();
        Ok([(tenant, subject("walked"))]
            .into_iter()
            .skip(place)
            .collect())
    }
}

fn ann() -> Actor {
    Actor::Operator("ann".into())
}

// Those with a `*` go over all onboardings there are, so they come first.
pub(crate) const FRONT: &[Case] = cases! {
    "*src/onramp/doctor.rs doctor" (at, who) { let _ = at.desk.pending(who).await; }
        at.onramp().doctor(Duration::ZERO);
    "*src/onramp/reconcile.rs reconcile" (at, who) {} at.onramp().reconcile(&Everybody);
    "*src/onramp/evolve.rs plan_evolution" (at, who) {}
        at.onramp().plan_evolution(at.onramp().flow().plan());
    "*src/onramp/evolve.rs evolve" (at, who) {
        let old = at.onramp().flow().plan().clone();
        let evolution = at.onramp().plan_evolution(&old).await.unwrap();
        let by = ann();
    } at.onramp().evolve(&evolution, &by);
    "*src/onramp/insight.rs funnel" (at, who) { let all = Cohort::everyone(); } at.onramp().funnel(&all);
    "*src/onramp/insight.rs stuck" (at, who) {} at.onramp().stuck(Duration::ZERO, 9);
    "*src/onramp/insight.rs stuck_of" (at, who) {} at.onramp().stuck_of(at.tenant(), Duration::ZERO, 9);
    "*src/onramp/insight.rs cross" (at, who) {
        let (all, by) = (Cohort::everyone(), Crossing::by("parked", |state| state.parked().is_some()));
    } at.onramp().cross(&all, &by);
    "*src/store/ext.rs purge" (at, who) {
        let found = at.onramp().open(at.tenant(), &subject("ended")).await.unwrap();
        if found.is_none() {
            let pending = at.desk.pending("ended").await;
            let _ = at.onramp().commit(pending.cancel::<Failed>()).await.unwrap();
        }
        let ended = Retention::ended_before(SystemClock.now());
    } at.store().purge(&ended);
    "*src/vault/rewrap.rs rewrap_all" (at, who) { let vault = at.rotated(who).await; } vault.rewrap_all();
    "*src/vault/rewrap.rs rewrap_after" (at, who) { let vault = at.rotated(who).await; } vault.rewrap_after(None);

    "src/onramp.rs enroll" (at, who) { let name = subject(who); } at.onramp().enroll(at.tenant(), &name);
    "src/onramp/begin.rs begin" (at, who) { let name = subject(who); } at.onramp().begin(at.tenant(), &name);
    "src/onramp.rs open" (at, who) {
        let name = subject(who);
        let _ = at.desk.pending(who).await;
    } at.onramp().open(at.tenant(), &name);
    "src/onramp.rs commit" (at, who) {
        let running = at.started(who).await;
    } at.onramp().commit(running.submit(company()));
    "src/onramp.rs enroll_in" (at, who) {} at.enrolled_in(who);
    "src/onramp.rs commit_in" (at, who) { let running = at.started(who).await; } at.committed_in(running);
    "src/onramp.rs resolve" (at, who) {
        let change = at.started(who).await.submit(company());
        let token = change.in_doubt();
        let _ = at.onramp().commit(change).await.unwrap();
    } at.onramp().resolve(&token);
    "src/onramp.rs verify_journal" (at, who) { let id = at.desk.answered(who).await.id(); }
        at.onramp().verify_journal(at.tenant(), id);
    "src/onramp.rs erase_subject" (at, who) {
        let (name, by) = (subject(who), ann());
        let pending = at.desk.pending(who).await;
        let _ = at.onramp().commit(pending.attest(paid())).await.unwrap();
    } at.onramp().erase_subject(at.tenant(), &name, &by);
    "src/onramp.rs progress" (at, who) { let id = at.desk.enrolled(who).await; }
        at.onramp().progress(at.tenant(), id);
    "src/onramp.rs explain" (at, who) { let id = at.desk.enrolled(who).await; }
        at.onramp().explain(at.tenant(), id);
    "src/onramp.rs facts" (at, who) { let id = at.desk.answered(who).await.id(); }
        at.onramp().facts(at.tenant(), id);
    "src/onramp.rs fact" (at, who) { let id = at.desk.answered(who).await.id(); }
        at.onramp().fact::<Company>(at.tenant(), id);
    "src/onramp/gates.rs check_gates" (at, who) { let name = subject(who); }
        at.onramp().check_gates(at.tenant(), &name);
    "src/onramp/gates.rs clear" (at, who) { let pending = at.desk.pending(who).await; }
        at.onramp().clear(&pending);
    "src/onramp/prefill.rs draft" (at, who) {
        let pending = at.desk.pending(who).await;
        let form = Draft::<Company>::new().with("name", "Acme").unwrap();
        let drafted = at.onramp().commit(pending.draft(&form)).await.unwrap();
    } at.onramp().draft::<Company>(at.tenant(), drafted.id());
    "src/onramp/prefill.rs prefill" (at, who) { let pending = at.desk.pending(who).await; }
        at.onramp().prefill::<Company, _>(pending);
    "src/onramp/bulk.rs bulk" (at, who) {
        let ids = [at.desk.answered(who).await.id(), at.desk.pending(&format!("{who}'s")).await.id()];
        let order = Bulk::Cancel.by(ann());
    } at.onramp().bulk(at.tenant(), &ids, &order);
    "src/onramp/order.rs carry_out" (at, who) {
        let id = at.desk.answered(who).await.id();
        let order = Bulk::Cancel.by(ann());
    } at.onramp().carry_out(at.tenant(), id, &order);
    "src/onramp/status.rs status" (at, who) { let name = subject(who); let _ = at.desk.pending(who).await; }
        at.onramp().status(at.tenant(), &name);
    "src/onramp/status.rs admit" (at, who) { let name = subject(who); let _ = at.desk.pending(who).await; }
        at.onramp().admit(at.tenant(), &name);

    "src/store/ext.rs status" (at, who) {
        let (name, now) = (subject(who), SystemClock.now());
        let _ = at.desk.pending(who).await;
    } at.store().status(at.onramp().flow().plan(), at.tenant(), &name, now);
    "src/store/ext.rs enroll" (at, who) { let (name, now) = (subject(who), SystemClock.now()); }
        at.store().enroll(at.onramp().flow(), at.tenant(), &name, now);
    "src/store/ext.rs open" (at, who) { let name = subject(who); let _ = at.desk.pending(who).await; }
        at.store().open::<crate::support::Workspace>(at.tenant(), &name);
    "src/store/ext.rs commit_change" (at, who) {
        let change = at.desk.answered(who).await.attest(paid());
    } at.store().commit_change(at.onramp().flow(), change, SystemClock.now());
    "src/store/ext.rs resolve" (at, who) {
        // It was never sent.
        let token = at.started(who).await.submit(company()).in_doubt();
    } at.store().resolve::<crate::support::Workspace>(&token);
    "src/store/ext.rs verify_journal" (at, who) { let id = at.desk.answered(who).await.id(); }
        at.store().verify_journal(at.tenant(), id);
    "src/store/ext.rs erase_subject" (at, who) {
        let (name, by) = (subject(who), ann());
        let pending = at.desk.pending(who).await;
        let _ = at.onramp().commit(pending.cancel::<Failed>()).await.unwrap();
    } at.store().erase_subject(at.tenant(), &name, &by, SystemClock.now());
    "src/store/ext.rs export_subject" (at, who) { let name = subject(who); let _ = at.desk.answered(who).await; }
        at.store().export_subject(at.tenant(), &name);
    "src/store/ext.rs known_facts" (at, who) { let id = at.desk.answered(who).await.id(); }
        at.store().known_facts(at.tenant(), id);
};
