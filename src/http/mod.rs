//! The HTTP face: an axum router over the front door, with its OpenAPI document.
//!
//! ```text
//!   request ──> envelope ──> Authorizer ──> route ──> Onramp (the same rules as everywhere)
//!                  │          tenant, subject, actor      │
//!                  └──── problem+json, in words <─────────┘ Rejected, CommitError, store::Error
//! ```
//!
//! **Nothing is served before the host has said whose onboarding a request is about**, and tenant and
//! subject are never in the address. What is somebody else's is absent, to the byte.
//!
//! ```
//! use onramp::http::{Access, Api, Authorizer, Denied, Parts, Probes};
//! use onramp::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! struct Workspace;
//! impl Flow for Workspace {
//!     const NAME: &'static str = "workspace";
//!     const VERSION: u32 = 1;
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Company { name: String }
//! impl Step for Company { const NAME: &'static str = "company"; }
//! impl Answer<Workspace> for Company {}
//!
//! /// The host's sessions; here, whoever gives a name is believed.
//! struct Sessions;
//! impl Authorizer for Sessions {
//!     async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
//!         let name = request.headers.get("x-name").ok_or(Denied::Unauthenticated)?;
//!         let name = name.to_str().map_err(|_| Denied::Unauthenticated)?;
//!         let subject = SubjectId::new(name).map_err(|_| Denied::Unauthenticated)?;
//!         let tenant = TenantId::new("acme").map_err(Denied::unknown)?;
//!         Ok(Access::of(tenant, subject))
//!     }
//! }
//!
//! let flow = Workspace::steps().ask::<Company>().build()?;
//! let onramp = Onramp::new(MemoryStore::new(), flow);
//!
//! let api = Api::new(onramp.clone()).authorize(Sessions).into_router();
//! let app: axum::Router = axum::Router::new()
//!     .nest("/api", api)
//!     .merge(Probes::new(onramp).into_router());
//! # Ok::<(), onramp::flow::InvalidFlow>(())
//! ```
//!
//! # The routes
//!
//! | | | |
//! |---|---|---|
//! | `GET` | `/onboarding` | where the subject is; `ETag`, `If-None-Match` |
//! | `POST` | `/onboarding/start` | enrol, check the gates, begin: 202 |
//! | `GET` | `/onboarding/steps/{step}` | the form, filled in with what is known |
//! | `PUT` | `/onboarding/steps/{step}/draft` | save what is filled in; `If-Match` |
//! | `POST` | `/onboarding/steps/{step}/submit`, `revise`, `skip` | answer |
//! | `POST` | `/onboarding/complete`, `retry` | ask for it |
//! | `POST` | `/onboarding/secrets/{name}/offer`, `reveal` | see a secret once; with a `Vault` |
//! | `GET` | `/onboarding/progress`, `events` | what happens: by asking, or as server-sent events |
//! | | `/operator/onboardings/..` | for operators, behind an [`OperatorAuthorizer`] |
//! | `GET` | `/operator/funnel`, `stuck` | what those of a tenant say together; JSON, or CSV by `Accept` |
//! | `GET` | `/openapi.json` | all of this, for programs |
//!
//! - *Once.* With an `Idempotency-Key` the same request is answered with what came of the first one; with
//!   another payload it is refused. A key is of one subject, or of one operator, and of one operation.
//! - *Versions.* The `ETag` is the revision. Whatever changes something takes `If-Match`, what operators
//!   do too; a draft needs it. An older one is answered with 412, and with how it is now.
//! - *Evidence* cannot be posted: a third party says it in a [`webhook`], whose signature is verified.
//! - *Secrets* are shown once, by a token in the body, to the subject and to nobody who acts for it.
//! - *Problems* (RFC 9457) have a permanent [`Code`] and words for people. What the program would say of
//!   them is in the logs, by the `X-Correlation-Id` that every response has.
//! - *Limits*: bodies of 64 KiB, 32 levels deep; 100 of a list at once. With
//!   [`Onramp::with_start_limit`](crate::Onramp::with_start_limit) so many starts of a tenant a minute;
//!   one more is told when to try again (429). Nothing may be kept by caches.

mod accept;
mod answers;
mod api;
mod authorize;
mod call;
mod catalogue;
mod dto;
mod envelope;
mod etag;
mod health;
mod idempotency;
mod insight;
mod journey;
mod live;
mod openapi;
mod operator;
mod problem;
mod progress;
#[cfg(feature = "vault")]
mod reauthenticate;
mod refuse;
mod reply;
#[cfg(feature = "vault")]
mod reveal;
mod routes;
mod secrets;
pub mod webhook;
mod wish;

pub use api::{Api, Authorized, Authorizes, NoAuthorizer, router};
pub use authorize::{Access, Authorizer, Denied, Operator, OperatorAuthorizer};
pub use catalogue::{Code, Messages, Text};
pub use health::Probes;
pub use live::Live;
#[cfg(feature = "vault")]
pub use reauthenticate::Reauthenticator;

/// A request without its body, as [`Authorizer`]s see it.
pub use axum::http::request::Parts;
