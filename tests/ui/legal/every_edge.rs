//! Every legal (stage, operation) pair, with the stage that follows.
#[path = "../common.rs"]
mod common;
use common::*;

fn start_in_pending(it: Onboarding<Signup, Pending>, clearance: Clearance<Signup>) -> Change<Signup, Pending, InProgress> {
    it.start(clearance)
}

fn submit_in_in_progress(it: Onboarding<Signup, InProgress>, company: Company) -> Change<Signup, InProgress, InProgress> {
    it.submit(company)
}

fn skip_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, InProgress> {
    it.skip::<Branding>()
}

fn revise_in_in_progress(it: Onboarding<Signup, InProgress>, company: Company) -> Change<Signup, InProgress, InProgress> {
    it.revise(company)
}

fn attest_in_pending(it: Onboarding<Signup, Pending>, payment: Payment) -> Change<Signup, Pending, Pending> {
    it.attest(payment)
}

fn attest_in_in_progress(it: Onboarding<Signup, InProgress>, payment: Payment) -> Change<Signup, InProgress, InProgress> {
    it.attest(payment)
}

fn attest_in_failed(it: Onboarding<Signup, Failed>, payment: Payment) -> Change<Signup, Failed, Failed> {
    it.attest(payment)
}

fn complete_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, Completed> {
    it.complete()
}

fn cancel_in_pending(it: Onboarding<Signup, Pending>) -> Change<Signup, Pending, Failed> {
    it.cancel()
}

fn cancel_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, InProgress> {
    it.cancel()
}

fn retry_in_failed(it: Onboarding<Signup, Failed>) -> Change<Signup, Failed, InProgress> {
    it.retry()
}

fn retry_undo_in_failed(it: Onboarding<Signup, Failed>) -> Change<Signup, Failed, InProgress> {
    it.retry_undo()
}

fn erase_in_completed(it: Onboarding<Signup, Completed>) -> Change<Signup, Completed, Completed> {
    it.erase()
}

fn erase_in_failed(it: Onboarding<Signup, Failed>) -> Change<Signup, Failed, Failed> {
    it.erase()
}

fn approve_in_pending(it: Onboarding<Signup, Pending>, review: Reviewed) -> Change<Signup, Pending, Pending> {
    it.approve(review, "ann")
}

fn approve_in_in_progress(it: Onboarding<Signup, InProgress>, review: Reviewed) -> Change<Signup, InProgress, InProgress> {
    it.approve(review, "ann")
}

fn approve_in_failed(it: Onboarding<Signup, Failed>, review: Reviewed) -> Change<Signup, Failed, Failed> {
    it.approve(review, "ann")
}

fn waive_in_in_progress(it: Onboarding<Signup, InProgress>, reason: Reason) -> Change<Signup, InProgress, InProgress> {
    it.waive::<Payment>(reason, "ann")
}

fn dismiss_in_pending(it: Onboarding<Signup, Pending>) -> Change<Signup, Pending, Pending> {
    it.dismiss()
}

fn dismiss_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, InProgress> {
    it.dismiss()
}

fn reopen_in_completed(it: Onboarding<Signup, Completed>) -> Change<Signup, Completed, InProgress> {
    it.reopen()
}

fn adopt_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, InProgress> {
    it.adopt()
}

fn draft_in_pending(it: Onboarding<Signup, Pending>, draft: Draft<Company>) -> Change<Signup, Pending, Pending> {
    it.draft(&draft)
}

fn draft_in_in_progress(it: Onboarding<Signup, InProgress>, draft: Draft<Company>) -> Change<Signup, InProgress, InProgress> {
    it.draft(&draft)
}

fn park_in_in_progress(it: Onboarding<Signup, InProgress>, reason: Reason) -> Change<Signup, InProgress, InProgress> {
    it.park(reason, "ann")
}

fn unpark_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, InProgress> {
    it.unpark("ann")
}

fn login_in_pending(it: Onboarding<Signup, Pending>) -> Change<Signup, Pending, Pending> {
    it.login()
}

fn login_in_in_progress(it: Onboarding<Signup, InProgress>) -> Change<Signup, InProgress, InProgress> {
    it.login()
}

fn login_in_completed(it: Onboarding<Signup, Completed>) -> Change<Signup, Completed, Completed> {
    it.login()
}

fn login_in_failed(it: Onboarding<Signup, Failed>) -> Change<Signup, Failed, Failed> {
    it.login()
}

fn main() {}
