//! Durable, explainable customer onboarding.

#[cfg(feature = "fields")]
pub mod fields;
