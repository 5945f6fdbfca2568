//! What a service does when a request comes in: enrol, start, submit, attest.

use std::error::Error;

use onramp::lifecycle::State;
use onramp::prelude::*;

use crate::kill;
use crate::signup::{Payment, Signup};
use crate::workspace::{BusinessInfo, PaymentConfirmed, Workspace};

/// Brings one sign-up as far as the host can; the engine does the rest. Does only what has not been
/// done, so it can be called again and again.
pub(crate) async fn bring(
    onramp: &Onramp<Workspace>,
    signup: &Signup,
    retry_failed: bool,
) -> Result<State, Box<dyn Error>> {
    kill::point("enroll.before");
    let running = match onramp.enroll(&signup.tenant, &signup.subject).await? {
        Loaded::Pending(pending) => {
            kill::point("enroll.after");
            let clearance = onramp.clear(&pending).await?;
            let running = onramp.commit(pending.start(clearance)).await?;
            kill::point("start.after");
            running
        }
        Loaded::InProgress(running) => running,
        Loaded::Failed(failed) if retry_failed => onramp.commit(failed.retry()).await?,
        over => return Ok(over.into_state()),
    };

    let mut running = running;
    match business_info(signup) {
        Some(info) if !running.has::<BusinessInfo>() => {
            running = onramp.commit(running.submit(info)).await?;
            kill::point("submit.after");
        }
        _ => {}
    }
    if !running.is_settled::<crate::workspace::Branding>(onramp.flow().plan()) {
        running = match &signup.branding {
            Some(branding) => onramp.commit(running.submit(branding.clone())).await?,
            None => {
                let skip = running.skip::<crate::workspace::Branding>();
                onramp.commit(skip).await?
            }
        };
        kill::point("branding.after");
    }
    if signup.payment == Payment::Confirmed && !running.has::<PaymentConfirmed>() {
        let paid = PaymentConfirmed {
            plan: signup.plan,
            invoice: format!("inv-{}-{}", signup.tenant, signup.subject),
        };
        running = onramp.commit(running.attest(paid)).await?;
        kill::point("attest.after");
    }
    Ok(running.into_state())
}

/// The form, once everything in it has been given: what is unset stays outstanding.
fn business_info(signup: &Signup) -> Option<BusinessInfo> {
    let contact = format!("{} {}", signup.first_name, signup.last_name);
    Some(BusinessInfo {
        company_name: signup.company_name.clone(),
        contact: contact.trim().to_owned(),
        email: signup.email.clone(),
        phone: signup.phone.clone(),
        currency: signup.currency?,
        timezone: signup.timezone?,
        region: signup.region,
    })
}
