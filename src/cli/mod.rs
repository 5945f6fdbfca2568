//! The operator's command line: what is stored, why it is not done, and what can be done about it.
//!
//! The binary `onramp` works on any database that its features name a driver for:
//!
//! ```sh
//! cargo install onramp --features cli,sqlite,postgres,mysql
//! export ONRAMP_URL=postgres://ops@localhost/onboarding   # or --url; sqlite://PATH, mysql://, mariadb://
//! onramp list --stage failed
//! onramp verify --all --json
//! ```
//!
//! It knows no rules, because those are the host's: [`Cli`] with the host's flows is the same tool with
//! all commands, in ten lines.
//!
//! | command | does | needs the flow |
//! |---|---|---|
//! | `migrate` | brings the schema up to date; `--dry-run` shows the statements | |
//! | `list` | onboardings, a page at a time | |
//! | `status` | where a subject is; all of it with the flow, else what the stored state tells | |
//! | `journal` | what happened to an onboarding | |
//! | `verify` | is everything as its journal says | |
//! | `doctor` | what nobody has noticed yet; what is neglected, with the flow | |
//! | `outbox` | `lag`, `dead`, `revive` | |
//! | `export`, `erase` | everything of a subject | |
//! | `bench` | how fast the database is, by more and more callers, in a scratch tenant that is deleted afterwards; `--in-use` where there are onboardings | |
//! | `completions` | a script for a shell | |
//! | `explain` | what stands between an onboarding and its completion | yes |
//! | `retry`, `waive`, `cancel`, `park`, `unpark` | what operators may do; `--operator` is in the journal | yes |
//! | `funnel` | how far those of a cohort have come | yes |
//! | `diagram` | the flow as Mermaid or DOT | yes; not with `--lifecycle` |
//! | `import` | takes over what an older system knew, from CSV or a folder of JSON files; `--dry-run` shows what would become of it | yes, and [how its records are read](Cli::import) |
//!
//! ```text
//!   arguments ──> Args ──> one command ──> StoreExt, Onramp ──> Answer ──> table or JSON, exit code
//! ```
//!
//! Only `migrate` changes a schema: everything else refuses one that is not of this program's version.
//! A database on another machine is refused without verified TLS, as the stores do. No password of a
//! URL is ever printed; arguments are seen by other users of a machine, so put it into `ONRAMP_URL`.
//!
//! # Exit codes
//!
//! | code | means |
//! |---|---|
//! | 0 | done |
//! | 1 | refused, or failed |
//! | 2 | the arguments cannot be used |
//! | 3 | `doctor` or `verify` found something wrong, or `import` left records out |
//!
//! # The JSON
//!
//! With `--json` standard output is one object. Every key is always there, what does not exist is
//! `null` or empty; keys are added, never renamed. Times are RFC 3339 in UTC.
//!
//! | command | keys |
//! |---|---|
//! | `migrate` | `database`, `found`, `wanted`, `applied`, `statements` |
//! | `list` | `onboardings`: each `id`, `tenant`, `flow`, `subject`, `stage`, `revision`, `changed_at`; `next`: what to give to `--after`, if there may be more |
//! | `status` | `onboardings`: each `id`, `tenant`, `flow`, `subject`, `flow_version`, `runs_under`, `revision`, `stage`, `created_at`, `first_login_at`, `started_at`, `completed_at`, `dismissed_at`, `erased_at`, `parked`, `failed`, `undoing`, `steps`, `progress`, and `status`: the [status](crate::status), `null` without the flow |
//! | `journal` | `id`, `tenant`, `flow`, `subject`, `entries`: each `revision`, `at`, `by`, `command`, `hash`, `events`; `next`: what to give to `--after` |
//! | `verify` | `holds`, `verified`, `entries`, `facts`, `broken`: each `id`, `tenant`, `flow`, `subject`, `code`, `message` |
//! | `doctor` | `well`, `looked_at`, `flows`: each `flow`, `known`, `looked_at`; `findings`: each `code`, `message`, `tenant`, `flow`, `id`, `step`, `since`; `outbox`: as `outbox lag`, `null` when the store cannot be opened |
//! | `outbox lag` | `oldest_seconds`, `dead` |
//! | `outbox dead` | `messages`: each `id`, `topic`, `tenant`, `flow`, `subject`, `onboarding`, `revision`, `at`, `reason`, `attempts`, `since` |
//! | `outbox revive` | `revived`, `absent`: identities |
//! | `export` | [`SubjectExport`](crate::store::SubjectExport) |
//! | `erase` | `erased`: identities; `kept`: each `id`, `because` |
//! | `explain` | `id`, `tenant`, `flow`, `subject`, `stage`, `obstacles`: each an [`Obstacle`](crate::lifecycle::Obstacle) |
//! | `retry`, `waive`, `cancel`, `park`, `unpark` | `operation`, `id`, `tenant`, `flow`, `subject`, `stage` |
//! | `funnel` | [`Funnel`](crate::insight::Funnel) |
//! | `diagram` | `flow`, `format`, `text` |
//! | `import` | [`Report`](crate::import::Report), and `quarantine`: the file, `null` when nothing was left out |
//! | `bench` | `onboardings`, `seconds`, `runs`: each `callers` and `create`, `commit`, `status`, `claim`: each `count`, `per_second`, `p50_us`, `p99_us` |
//! | `completions` | `shell`, `script` |
//!
//! What cannot be done is told on standard error, as `error`: `code`, `message`, `hint`, `causes`.

mod answer;
mod args;
mod bar;
mod commands;
mod confirm;
mod database;
mod problem;
mod redact;
mod rules;
mod run;
mod sources;
mod table;
mod target;
mod time;

pub use run::Cli;
