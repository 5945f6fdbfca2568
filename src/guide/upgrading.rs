//! How to bring a new version of the library, of the schema, or of a key into service.
//!
//! # The library
//!
//! Versions follow Semantic Versioning; `CHANGELOG.md` names each effect that a user sees. Before 1.0 a
//! new minor version may break what compiles, and a patch version may not. A feature adds items and
//! never changes behaviour. The oldest Rust that works is `rust-version` in `Cargo.toml`.
//!
//! Most enums of results and events are `non_exhaustive`: give your `match` an arm for what is to come.
//!
//! # The schema
//!
//! A store brings its schema up to date when it is opened; any number of processes may do so at once, and
//! what was interrupted is finished by the next start. Where that is not wanted:
//!
//! 1. Show the statements: `onramp migrate --dry-run`, or `plan_migration`.
//! 2. Back the database up.
//! 3. Run them: `onramp migrate`, with the rights to make tables.
//! 4. Start the service, which opens with `migrate(false)`, or
//!    [`open_existing`](crate::store::SqliteStore), and needs no such rights.
//!
//! ```
//! use onramp::store::{ErrorKind, SqliteOptions, SqliteStore};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("service.db");
//! # std::fs::write(&file, "")?;
//! let plan = SqliteStore::plan_migration(SqliteOptions::new(&file)).await?; // changes nothing
//! assert_eq!((plan.found(), plan.wanted()), (0, SqliteStore::schema_version()));
//!
//! // A program that may not migrate is refused until somebody has.
//! let refused = SqliteStore::open_existing(&file).await.unwrap_err();
//! assert_eq!(refused.kind(), ErrorKind::Schema);
//!
//! SqliteStore::open(&file).await?.close().await; // migrates
//! SqliteStore::open_existing(&file).await?.close().await;
//! # Ok(()) }
//! ```
//!
//! **A program refuses a schema that is newer than its own**, and says both versions. That is looked at
//! when a store is opened. So an old program cannot be *started* any more after a migration: to go back
//! restore the backup, or go forward. A MySQL or MariaDB server cannot roll tables back; there a migration that
//! was interrupted is gone on with.
//!
//! # Programs of two versions at once
//!
//! During a rolling upgrade old and new workers share the queue. What a newer one has written and an
//! older one cannot read is left alone by it, for a minute unless told
//! ([`leave_unreadable`](crate::engine::EngineBuilder::leave_unreadable)): no attempt is counted, and a
//! newer worker goes on with it. To change the flow itself see
//! [evolving a flow](super::evolving_a_flow); do it in a release of its own.
//!
//! # Keys of the vault
//!
//! Wrapping keys are changed in four steps, each of which can wait for the next: add the new key as the
//! last one, everywhere; make it the first one, everywhere; re-wrap; take the old one away.
//!
//! ```
//! use onramp::prelude::*;
//! use onramp::vault::{LocalKeys, Vault};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let store = std::sync::Arc::new(MemoryStore::new());
//! let keys = LocalKeys::parse(
//!     "2026-11 = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=\n\
//!      2025-06 = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa",
//! )?; // in earnest: `LocalKeys::from_env`, `from_file`, or a KMS
//! let rewrapped = Vault::new(store, keys).rewrap_all().await?;
//! assert!(rewrapped.failed.is_empty()); // while there are any, keep the old key
//! # Ok(()) }
//! ```
//!
//! Tokens that are out stay good. Webhook secrets overlap in the same way:
//! [`Verifier::or`](crate::http::webhook::Verifier::or).
//!
//! # From another system
//!
//! [`LegacyPolicy`](crate::admission::LegacyPolicy) says what the rows of the older system meant, and a
//! [`Shadow`](crate::admission::Shadow) compares its answers with ours until they agree.
