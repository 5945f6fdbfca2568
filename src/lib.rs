//! Durable, explainable customer onboarding.
