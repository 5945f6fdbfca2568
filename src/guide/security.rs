//! Who may do what, where secrets and personal data are, and what is not protected.
//!
//! # Who may do what
//!
//! - **No router without an authorizer.** [`Api`](crate::http::Api) becomes a router only with an
//!   [`Authorizer`](crate::http::Authorizer) of the host's; none is shipped, not even for development.
//!   Tenant and subject come from it and never from the address.
//! - Operators' routes exist only with an [`OperatorAuthorizer`](crate::http::OperatorAuthorizer), which
//!   is another trait, so no customer becomes an operator by mistake.
//! - What is another tenant's is absent, to the byte: not forbidden, which would say that it exists.
//! - Evidence cannot be posted. A third party says it in a [`webhook`](crate::http::webhook), whose
//!   signature and time are verified, in constant time, before its body is looked at.
//! - **Only the database admits**: a [`Proof`](crate::admission::Proof) is made from what the store has
//!   just said and from nothing else. A forged mirror, cookie or cache shows a wrong page and opens
//!   nothing.
//! - Whoever acts is in the journal: give operators' names with
//!   [`by`](crate::Change::by). An exemption (`waive`) needs a reason.
//!
//! ```compile_fail
//! # use onramp::http::Api;
//! # use onramp::prelude::*;
//! fn serve<F: Flow>(onramp: Onramp<F>) -> axum::Router {
//!     Api::new(onramp).into_router() // this API has no authorizer, so it cannot be a router
//! }
//! ```
//!
//! # Secrets
//!
//! Facts, events, messages and errors are no place for them. The [`vault`](crate::vault) keeps a secret
//! sealed with XChaCha20-Poly1305, bound to its tenant, onboarding and purpose: in another row it does
//! not open. A [`Secret`](crate::vault::Secret) has no `Debug`, no `Serialize`, no `Clone`, and its
//! memory is overwritten.
//!
//! ```
//! use onramp::SecretName;
//! use onramp::prelude::*;
//! use onramp::vault::{LocalKeys, Reauthenticated, Secret, Vault};
//!
//! static PROVIDER: SecretName = SecretName::from_static("provider");
//!
//! fn vault(store: std::sync::Arc<dyn Store>) -> Result<Vault, Box<dyn std::error::Error>> {
//!     Ok(Vault::new(store, LocalKeys::from_env("ONRAMP_KEYS")?)) // or a KeyProvider over your KMS
//! }
//!
//! async fn show_again(
//!     vault: &Vault,
//!     tenant: &TenantId,
//!     id: OnboardingId,
//!     proof: Reauthenticated, // somebody has just proved again who they are
//! ) -> Result<String, Box<dyn std::error::Error>> {
//!     // Shows it once, within 15 minutes. The first `offer` needs no proof, every other one does.
//!     let token = vault.offer_again(tenant, id, &PROVIDER, proof).await?;
//!     Ok(token.expose().to_owned()) // in a body, never in an address
//! }
//! # let _ = (vault, show_again);
//! ```
//!
//! Keys are changed while all goes on: see [upgrading](super::upgrading).
//!
//! # Personal data
//!
//! - It is in facts and drafts, and nowhere else. The journal holds salted commitments, reservations a
//!   hash, messages names of steps and identities. So name subjects by an opaque identity and not by an
//!   e-mail address.
//! - [`erase_subject`](crate::Onramp::erase_subject) takes the facts away for good; the journal stays and
//!   still verifies. [`export_subject`](crate::store::StoreExt::export_subject) hands everything out.
//!   [`purge`](crate::store::StoreExt::purge) forgets what ended long ago.
//! - Backups keep what was erased, for as long as you keep them.
//!
//! # On the way
//!
//! - A database on another machine is refused unless its certificate is verified
//!   (`sslmode=verify-full`, `ssl-mode=VERIFY_IDENTITY`) or the host says by name that it means it.
//! - SQL is fixed text with bound values. Passwords of URLs are in no error and no log.
//! - Bodies are limited to 64 KiB and 32 levels, facts to 256 KiB and 32 levels, lists to 100.
//! - [`with_start_limit`](crate::Onramp::with_start_limit) keeps a tenant from starting more than so many
//!   onboardings a minute, in each process. It is off until it is asked for.
//! - People see a permanent code, a text written in advance and a correlation id. Causes are in logs.
//! - There is no `unsafe` code in this crate.
//!
//! # What is not protected
//!
//! - Facts are stored in clear: protect the database, its disks and its backups.
//! - Whoever may write to the database can write a row. [`verify_journal`](crate::Onramp::verify_journal)
//!   finds what was changed past the journal, unless the whole chain was written anew: keep the newest
//!   hashes elsewhere if that matters.
//! - Whoever reads the memory of a process that holds the keys has the secrets.
//! - A task is the host's code, with the host's rights. It is given facts that customers wrote: treat
//!   them as such in addresses, commands and templates. [`fields`](crate::fields) has validated types.
//! - How often somebody may try anything else is the host's to limit, in front of the router.
