//! The pages. Each is a GET that changes nothing and, where there is a form, a POST that leads on.

pub(crate) mod assets;
pub(crate) mod begin;
pub(crate) mod business;
pub(crate) mod dashboard;
pub(crate) mod key;
pub(crate) mod operator;
pub(crate) mod outbox;
pub(crate) mod payment;
pub(crate) mod plan;
pub(crate) mod setup;
pub(crate) mod sign_in;
