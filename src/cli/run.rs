//! From arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::answer::{Answer, print};
use crate::cli::args::{Args, Command};
use crate::cli::commands::{
    act, bench, completions, diagram, doctor, explain, funnel, import, journal, list, migrate,
    outbox, status, subject, verify,
};
use crate::cli::database::Place;
use crate::cli::problem::{Exit, Problem};
use crate::cli::redact::redact;
use crate::cli::rules::Flows;
use crate::cli::sources::Sources;
use crate::cli::table::Look;
use crate::flow::{Definition, Flow};
use crate::import::{Imported, Record, Reject};
use crate::store::Store;
use crate::{Clock, SourceName, SystemClock};

/// The operator's command line, with the flows that it knows. The [module](crate::cli) describes its
/// commands, their JSON and the exit codes.
///
/// A host's own tool is its flow and this; the gates and tasks of the flow have to be there, because
/// `explain` asks the gates, but no task is run:
///
/// ```no_run
/// use std::process::ExitCode;
/// use onramp::cli::Cli;
/// # use onramp::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
/// # mod host { pub(crate) fn workspace() -> onramp::flow::Definition<super::Workspace> {
/// #     use onramp::prelude::*;
/// #     super::Workspace::steps().ask::<super::Company>().build().unwrap()
/// # } }
///
/// #[tokio::main]
/// async fn main() -> ExitCode {
///     Cli::new().flow(host::workspace()).run().await
/// }
/// ```
#[derive(Default)]
#[must_use = "it does something when it is run"]
pub struct Cli {
    flows: Flows,
    sources: Sources,
}

/// What a command works with.
pub(super) struct Context<'c> {
    pub(super) store: Arc<dyn Store>,
    pub(super) flows: &'c Flows,
    pub(super) sources: &'c Sources,
    pub(super) look: Look,
    pub(super) now: DateTime<Utc>,
    /// Whether bars may be drawn.
    pub(super) bars: bool,
}

impl Cli {
    /// One that knows no flow, as the binary `onramp` is.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with the rules of a flow: for `explain`, `retry`, `waive`, `cancel`, `park`, `unpark`,
    /// `funnel`, `diagram`, the whole `status`, and a `doctor` that finds what is neglected.
    pub fn flow<F: Flow>(mut self, definition: Definition<F>) -> Self {
        self.flows.add(definition);
        self
    }

    /// The same with how records of an older system are read, for `import`. The name of the source stays
    /// in the journal, and is part of what records are known by: see [`Import`](crate::import::Import).
    ///
    /// ```no_run
    /// use onramp::cli::Cli;
    /// use onramp::import::{Imported, Record, Reject};
    /// use onramp::prelude::*;
    /// # struct Workspace;
    /// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
    ///
    /// fn user(record: &Record) -> Result<Imported<Workspace>, Reject> {
    ///     let tenant = TenantId::new(record.text("tenant")?)?;
    ///     let subject = SubjectId::new(record.text("user")?)?;
    ///     Ok(Imported::new(tenant, subject).complete(record.flag("done")?))
    /// }
    ///
    /// # async fn tool(workspace: onramp::flow::Definition<Workspace>) -> std::process::ExitCode {
    /// // host import --csv users.csv --dry-run
    /// Cli::new().import("crm", &workspace, user).flow(workspace).run().await
    /// # }
    /// ```
    pub fn import<F, M>(
        mut self,
        source: impl Into<SourceName>,
        definition: &Definition<F>,
        map: M,
    ) -> Self
    where
        F: Flow,
        M: Fn(&Record) -> Result<Imported<F>, Reject> + Send + Sync + 'static,
    {
        self.sources.add(source.into(), definition.clone(), map);
        self
    }

    /// Does what the process was asked for by its arguments and environment, and prints what came of
    /// it. Runs in a Tokio runtime with time and I/O enabled.
    pub async fn run(self) -> ExitCode {
        self.run_with(std::env::args_os()).await
    }

    /// The same with arguments that are given; the first is the program's name.
    ///
    /// ```
    /// use std::process::ExitCode;
    /// use onramp::cli::Cli;
    /// # async fn show() {
    /// let lifecycle = ["onramp", "diagram", "--lifecycle", "--json"];
    /// assert_eq!(Cli::new().run_with(lifecycle).await, ExitCode::SUCCESS);
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(show());
    /// ```
    pub async fn run_with<I, T>(self, arguments: I) -> ExitCode
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString>,
    {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let exit = match Args::try_parse_from(&arguments) {
            Ok(args) => {
                let as_json = args.general.json;
                print(self.answer(args, &program(&arguments)).await, as_json)
            }
            Err(error) => misunderstood(&error, &arguments),
        };
        ExitCode::from(exit.code())
    }

    async fn answer(&self, args: Args, program: &str) -> Result<Answer, Problem> {
        let look = Look::new(args.general.json);
        let now = SystemClock.now();
        let place = || Place::new(&args.general);
        match args.command {
            Command::Completions(shell) => return completions::answer(&shell, program),
            Command::Diagram(wish) => return diagram::answer(&self.flows, &wish),
            Command::Migrate(wish) => return migrate::answer(&place()?, &wish).await,
            _ => {}
        }
        let place = match &args.command {
            Command::Bench(wish) => place()?.connections(wish.connections()),
            _ => place()?,
        };
        let opened = match (place.open().await, &args.command) {
            (Err(problem), Command::Doctor(_)) => return doctor::unusable(problem),
            (opened, _) => opened?,
        };
        let cx = Context {
            store: opened.store(),
            flows: &self.flows,
            sources: &self.sources,
            look,
            now,
            bars: !args.general.json,
        };
        let answer = cx.answer(args.command).await;
        opened.close().await;
        answer
    }
}

impl Context<'_> {
    async fn answer(&self, command: Command) -> Result<Answer, Problem> {
        match command {
            Command::List(wish) => list::answer(self, &wish).await,
            Command::Status(wish) => status::answer(self, &wish).await,
            Command::Journal(wish) => journal::answer(self, &wish).await,
            Command::Explain(wish) => explain::answer(self, &wish).await,
            Command::Retry(wish) => act::answer(self, wish.into()).await,
            Command::Waive(wish) => act::answer(self, wish.into()).await,
            Command::Cancel(wish) => act::answer(self, wish.into()).await,
            Command::Park(wish) => act::answer(self, wish.into()).await,
            Command::Unpark(wish) => act::answer(self, wish.into()).await,
            Command::Funnel(wish) => funnel::answer(self, &wish).await,
            Command::Import(wish) => import::answer(self, &wish).await,
            Command::Doctor(wish) => doctor::answer(self, &wish).await,
            Command::Verify(wish) => verify::answer(self, &wish).await,
            Command::Export(wish) => subject::export(self, &wish).await,
            Command::Erase(wish) => subject::erase(self, &wish).await,
            Command::Outbox(wish) => outbox::answer(self, &wish).await,
            Command::Bench(wish) => bench::answer(self, &wish).await,
            Command::Migrate(_) | Command::Diagram(_) | Command::Completions(_) => {
                Err(Problem::new("internal", "this command needs no store"))
            }
        }
    }
}

impl std::fmt::Debug for Cli {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let flows = self.flows.iter().map(|rules| rules.plan().flow().as_str());
        f.debug_list().entries(flows).finish()
    }
}

/// What the program is called where it is used.
fn program(arguments: &[OsString]) -> String {
    let path = arguments.first().map(std::path::Path::new);
    let name = path.and_then(std::path::Path::file_stem);
    name.map_or_else(
        || "onramp".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Help and the version are asked for in the same way as what is wrong.
fn misunderstood(error: &clap::Error, arguments: &[OsString]) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return match error.print() {
            Ok(()) => Exit::Done,
            Err(_) => Exit::Failed,
        };
    }
    if arguments.iter().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let said = text.strip_prefix("error: ").unwrap_or(&text);
        // What follows the first paragraph is how the program is used.
        let said: Vec<_> = said.lines().take_while(|line| !line.is_empty()).collect();
        let said: Vec<_> = said.iter().map(|line| line.trim()).collect();
        return print(
            Err(Problem::usage(said.join(" ")).hint("--help tells more")),
            true,
        );
    }
    // As text, because a value that is quoted may be a URL.
    eprint!("{}", redact(&error.render().to_string()));
    Exit::Usage
}
