//! A small flow that the cases misuse.
#![allow(dead_code)]

pub use onramp::prelude::*;
pub use serde::{Deserialize, Serialize};

pub struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

/// A second flow, to mix up with the first.
pub struct Offboarding;
impl Flow for Offboarding {
    const NAME: &'static str = "offboarding";
    const VERSION: u32 = 1;
}

/// Answer of `Signup`.
#[derive(Serialize, Deserialize)]
pub struct Company(pub String);
impl Step for Company {
    const NAME: &'static str = "company";
}
impl Answer<Signup> for Company {}

/// Optional answer of `Signup`.
#[derive(Serialize, Deserialize)]
pub struct Branding(pub String);
impl Step for Branding {
    const NAME: &'static str = "branding";
}
impl Answer<Signup> for Branding {}

/// Evidence of `Signup`.
#[derive(Serialize, Deserialize)]
pub struct Payment(pub String);
impl Step for Payment {
    const NAME: &'static str = "payment";
}
impl Evidence<Signup> for Payment {}

/// Approval of `Signup`.
#[derive(Serialize, Deserialize)]
pub struct Reviewed(pub u64);
impl Step for Reviewed {
    const NAME: &'static str = "review";
}
impl Approval<Signup> for Reviewed {}

/// Answer of `Offboarding`.
#[derive(Serialize, Deserialize)]
pub struct Motive(pub String);
impl Step for Motive {
    const NAME: &'static str = "motive";
}
impl Answer<Offboarding> for Motive {}

/// What `BuildSite` yields.
#[derive(Serialize, Deserialize)]
pub struct Site(pub String);
impl Step for Site {
    const NAME: &'static str = "site";
}

/// Task of `Signup`; needs the company and the payment.
pub struct BuildSite;
impl Task<Signup> for BuildSite {
    type Needs = (Company, Payment);
    type Output = Site;
    async fn run(&self, _: &TaskContext, _: (Company, Payment)) -> Result<Site, TaskError> {
        Ok(Site(String::new()))
    }
}

/// What `PaintSite` yields.
#[derive(Serialize, Deserialize)]
pub struct Painted(pub String);
impl Step for Painted {
    const NAME: &'static str = "painted";
}

/// Task of `Signup`; takes the branding for certain.
pub struct PaintSite;
impl Task<Signup> for PaintSite {
    type Needs = Branding;
    type Output = Painted;
    async fn run(&self, _: &TaskContext, _: Branding) -> Result<Painted, TaskError> {
        Ok(Painted(String::new()))
    }
}

/// What `CloseAccount` yields.
#[derive(Serialize, Deserialize)]
pub struct Closed;
impl Step for Closed {
    const NAME: &'static str = "closed";
}

/// Task of `Offboarding`.
pub struct CloseAccount;
impl Task<Offboarding> for CloseAccount {
    type Needs = ();
    type Output = Closed;
    async fn run(&self, _: &TaskContext, _: ()) -> Result<Closed, TaskError> {
        Ok(Closed)
    }
}
