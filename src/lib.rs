//! Durable, explainable customer onboarding: typestate outside, one transaction inside.
//!
//! A service takes each customer (user, organisation, tenant) from sign-up to ready: forms, payment
//! proof, provisioning of real resources, keys, welcome. With onramp that is a [`Flow`]: an ordered
//! list of steps, each yielding one typed fact.
//!
//! - **Progress is data.** "Where is this customer" is computed from which facts exist.
//! - **Facts flow by type.** A task says what it needs; a flow that does not provide it does not
//!   compile.
//! - **Four stages are types.** A handle in the next stage exists only after the commit.
//! - **One pure rule book** ([`lifecycle`]) decides; the typed face and the engine only ask it.
//! - **One commit** holds the row, the facts, the journal, the queue entry and the outbox messages.
//!
//! ```text
//!   host ──> Onramp::commit(handle.submit(answer)) ──┐
//!                                                    ├──> decide ──> one transaction ──> Store
//!   Engine ──> claims, runs a Task, reports ─────────┘                (revision, fence)
//! ```
//!
//! Start with the [README](https://docs.rs/crate/onramp/latest), then the [guides](guide):
//! [concepts](guide::concepts), [writing a task](guide::writing_a_task),
//! [writing a store](guide::writing_a_store), [evolving a flow](guide::evolving_a_flow),
//! [operating](guide::operating), [security](guide::security), [upgrading](guide::upgrading). Or with
//! [`Flow`] and [`Onramp`], or by running the examples from `01_hello` on.
//!
//! | feature | adds |
//! |---|---|
//! | none | `flow`, `lifecycle`: the rules; `status`: where is this customer |
//! | `store` (default) | `store`: the contract, the typed commit, the memory store; `admission` |
//! | `tokio` | `engine`: workers and the relay; `store::Watch`, `store::Hints` |
//! | `sqlite` | `store::SqliteStore` |
//! | `postgres` | `store::PostgresStore` |
//! | `mysql` | `store::MySqlStore`, on MariaDB and MySQL |
//! | `fields` | `fields`: validated field types |
//! | `import` | `import`: take over what another system knew |
//! | `tiers` | `tiers`: the status from local copies and a mirror, when the database is away |
//! | `mirror-http` | `tiers::HttpMirror` |
//! | `http` | `http`: an axum router, its OpenAPI, live progress, verified webhooks |
//! | `vault` | `vault`: sealed secrets, generated API keys, reveal tokens |
//! | `metrics` | figures for the host's recorder, by the `metrics` facade |
//! | `cli` | with a database's: `cli::Cli`, the operator's command line, and the binary `onramp` |
//! | `testing` | `testing`: scenarios, crashes everywhere, the conformance suite, rules without a store |
//!
//! [`Flow`]: crate::flow::Flow

#[cfg(feature = "store")]
pub mod admission;
#[cfg(all(
    feature = "cli",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
pub mod cli;
pub mod diagram;
#[cfg(feature = "tokio")]
pub mod engine;
#[cfg(feature = "fields")]
pub mod fields;
pub mod flow;
// Text alone, so it is there only where text is read.
#[cfg(doc)]
pub mod guide;
#[cfg(feature = "http")]
pub mod http;
mod id;
#[cfg(feature = "import")]
pub mod import;
#[cfg(feature = "store")]
pub mod insight;
pub mod lifecycle;
#[cfg(feature = "metrics")]
mod measure;
#[cfg(feature = "store")]
mod onramp;
pub mod prelude;
pub mod status;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tiers")]
pub mod tiers;
mod time;
#[cfg(feature = "vault")]
pub mod vault;

pub use id::{
    Actor, CommandId, Fence, FlowName, InvalidId, Key, MAX_ID_BYTES, OnboardingId, Reason,
    Revision, SecretName, SourceName, StepName, SubjectId, TenantId, UnknownActor,
};
pub use lifecycle::{Change, Loaded, Onboarding};
#[cfg(feature = "store")]
pub use onramp::{
    Ailing, Bulk, Diagnosis, Done, EvolutionPlan, Evolved, GateReport, NotBegun, NotDone,
    NotReconciled, Onramp, Order, Prefilled, Reconciliation, StartLimit, Upstream,
};
pub use time::{Clock, SystemClock};

#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
