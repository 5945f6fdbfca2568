//! The older systems whose records the program can read, without the types of flows.

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;

use crate::cli::problem::Problem;
use crate::flow::{Definition, Flow};
use crate::import::{Conflict, Entry, Import, Imported, Record, Reject, Report, Stopped};
use crate::store::Store;
use crate::{Onramp, SourceName};

/// Where to read how a host builds a tool that reads its records.
const DOCS: &str = "https://docs.rs/onramp/latest/onramp/cli/struct.Cli.html#method.import";

/// What is to be done with records.
pub(super) struct Wish {
    pub(super) policy: Conflict,
    pub(super) at_once: usize,
    pub(super) dry_run: bool,
    pub(super) quarantine: Option<Box<dyn Write + Send>>,
}

/// Records, as they come.
pub(super) type Records = Box<dyn Iterator<Item = Entry> + Send>;

/// One older system.
#[async_trait]
pub(super) trait Source: Send + Sync {
    fn name(&self) -> &SourceName;

    async fn import(
        &self,
        store: &Arc<dyn Store>,
        wish: Wish,
        records: Records,
    ) -> Result<Report, Stopped>;
}

struct Mapped<F, M> {
    name: SourceName,
    definition: Definition<F>,
    map: M,
}

#[async_trait]
impl<F, M> Source for Mapped<F, M>
where
    F: Flow,
    M: Fn(&Record) -> Result<Imported<F>, Reject> + Send + Sync,
{
    fn name(&self) -> &SourceName {
        &self.name
    }

    async fn import(
        &self,
        store: &Arc<dyn Store>,
        wish: Wish,
        records: Records,
    ) -> Result<Report, Stopped> {
        let onramp = Onramp::shared(Arc::clone(store), self.definition.clone());
        let mut import = Import::into(&onramp, self.name.clone())
            .policy(wish.policy)
            .at_once(wish.at_once)
            .map(|record: &Record| (self.map)(record));
        if let Some(to) = wish.quarantine {
            import = import.quarantine(to);
        }
        match wish.dry_run {
            true => import.dry_run(records).await,
            false => import.run(records).await,
        }
    }
}

/// All older systems that the program knows.
#[derive(Default)]
pub(super) struct Sources(Vec<Box<dyn Source>>);

impl Sources {
    pub(super) fn add<F, M>(&mut self, name: SourceName, definition: Definition<F>, map: M)
    where
        F: Flow,
        M: Fn(&Record) -> Result<Imported<F>, Reject> + Send + Sync + 'static,
    {
        self.0.push(Box::new(Mapped {
            name,
            definition,
            map,
        }));
    }

    /// The one of this name, or the only one.
    pub(super) fn one(&self, name: Option<&str>) -> Result<&dyn Source, Problem> {
        match (name, self.0.as_slice()) {
            (_, []) => {
                let message = "this program does not know how any record is read";
                Err(Problem::new("unknown_source", message).hint(format!(
                    "that is in the host's code: build its own tool with \
                     `Cli::new().import(\"crm\", &definition, map).run()`, see {DOCS}"
                )))
            }
            (None, [only]) => Ok(only.as_ref()),
            (None, _) => {
                let message = "which source? Name it with --source";
                Err(Problem::usage(message).hint(format!("it knows {}", self.names())))
            }
            (Some(name), all) => {
                let found = all.iter().find(|source| *source.name() == *name);
                found.map(AsRef::as_ref).ok_or_else(|| {
                    let message = format!("this program does not know the source {name:?}");
                    let hint = format!("it knows {}", self.names());
                    Problem::new("unknown_source", message).hint(hint)
                })
            }
        }
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|source| source.name().as_str()).collect();
        names.join(", ")
    }
}
