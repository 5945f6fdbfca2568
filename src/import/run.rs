//! The import: sources in, a report out.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Seen;
use std::fmt;
use std::io::Write;

use super::conflict::Conflict;
use super::identity::Identity;
use super::imported::Imported;
use super::quarantine;
use super::record::{Entry, Place, Record};
use super::reject::Reject;
use super::report::{Report, Stopped};
use super::take::{Ready, Run, Taken};
use super::together::together;
use crate::flow::Flow;
use crate::id::{CommandId, SourceName};
use crate::onramp::Onramp;
use crate::store::{Error, check_source, key};

/// How many records are under way at once, unless told otherwise.
const AT_ONCE: usize = 32;

/// Takes over what another system knew, a record at a time: see the [module](super).
///
/// ```
/// # use onramp::prelude::*;
/// use std::io::{BufReader, BufWriter};
/// use std::fs::File;
/// use onramp::import::{Import, Imported, csv};
/// # async fn migrate<F: Flow>(onramp: &Onramp<F>) -> Result<(), Box<dyn std::error::Error>> {
/// let rejected = BufWriter::new(File::create("rejected.jsonl")?);
/// let mut import = Import::into(onramp, "crm").quarantine(rejected).map(|record| {
///     let subject = SubjectId::new(record.text("user")?)?;
///     Ok(Imported::new(TenantId::new(record.text("tenant")?)?, subject).complete(record.flag("done")?))
/// });
/// let users = || Ok::<_, std::io::Error>(csv("users.csv", BufReader::new(File::open("users.csv")?)));
/// println!("{}", import.dry_run(users()?).await?);
/// println!("{}", import.run(users()?).await?);
/// # Ok(()) }
/// ```
#[must_use = "it does nothing until it is run"]
pub struct Import<'o, F, M = ()> {
    onramp: &'o Onramp<F>,
    source: SourceName,
    policy: Conflict,
    at_once: usize,
    quarantine: Option<Box<dyn Write + Send + 'o>>,
    map: M,
}

impl<'o, F: Flow> Import<'o, F> {
    /// An import from a source of this name: 1 to 64 of `a-z`, `0-9` and `_`, a letter first. It stays in
    /// the journal, and is part of what records are known by: another name imports everything again.
    pub fn into(onramp: &'o Onramp<F>, source: impl Into<SourceName>) -> Self {
        Self {
            onramp,
            source: source.into(),
            policy: Conflict::KeepExisting,
            at_once: AT_ONCE,
            quarantine: None,
            map: (),
        }
    }

    /// How records are read: what each says in the words of the flow, or why it is left out.
    pub fn map<M>(self, map: M) -> Import<'o, F, M>
    where
        M: FnMut(&Record) -> Result<Imported<F>, Reject>,
    {
        Import {
            onramp: self.onramp,
            source: self.source,
            policy: self.policy,
            at_once: self.at_once,
            quarantine: self.quarantine,
            map,
        }
    }
}

impl<'o, F: Flow, M> Import<'o, F, M> {
    /// What becomes of subjects that have an onboarding already. By default they keep it.
    pub fn policy(mut self, policy: Conflict) -> Self {
        self.policy = policy;
        self
    }

    /// Where records go that are not imported: a line of JSON each, with `source`, `from`, `line`,
    /// `reason` and `raw` (`raw_hex` where that is no text; the first 64 KiB, and `cut` says so). It holds
    /// what the source holds, so keep it as well.
    pub fn quarantine(mut self, to: impl Write + Send + 'o) -> Self {
        self.quarantine = Some(Box::new(to));
        self
    }

    /// How many records are under way at once; by default 32. Stores write those together. With 1 of two
    /// records that reserve the same the first one always has it.
    pub fn at_once(mut self, records: usize) -> Self {
        self.at_once = records.max(1);
        self
    }
}

impl<F: Flow, M> Import<'_, F, M>
where
    M: FnMut(&Record) -> Result<Imported<F>, Reject>,
{
    /// Imports records, in the order in which they come. Of each subject a run takes one record; what it
    /// remembers is 32 bytes a record, and the records under way.
    ///
    /// # Errors
    /// [`Stopped`] when the store or the quarantine fails. Then run it again.
    ///
    /// # Cancel safety
    /// When the future is dropped, run it again.
    pub async fn run<I>(&mut self, records: I) -> Result<Report, Stopped>
    where
        I: IntoIterator<Item = Entry>,
    {
        self.go(records, false).await
    }

    /// The same report, and nothing is written: neither to the store nor to the quarantine. Only what two
    /// records, or a record and an onboarding, reserve both is found when it is written.
    ///
    /// # Errors
    /// [`Stopped`] when the store fails.
    pub async fn dry_run<I>(&mut self, records: I) -> Result<Report, Stopped>
    where
        I: IntoIterator<Item = Entry>,
    {
        self.go(records, true).await
    }

    async fn go<I>(&mut self, records: I, dry: bool) -> Result<Report, Stopped>
    where
        I: IntoIterator<Item = Entry>,
    {
        let mut report = Report::new(self.source.clone(), dry);
        if let Err(cause) = check_source(&self.source) {
            return Err(stopped(report, cause));
        }
        let mut seen = HashMap::new();
        let mut records = records.into_iter();
        loop {
            let mut batch = Vec::with_capacity(self.at_once);
            for entry in records.by_ref().take(self.at_once) {
                batch.push(self.read(entry, &mut seen));
            }
            if batch.is_empty() {
                return Ok(report);
            }
            if let Err(cause) = self.take(batch, &mut report).await {
                return Err(stopped(report, cause));
            }
        }
    }

    /// What a record says, held against the ones before it.
    fn read(&mut self, entry: Entry, seen: &mut HashMap<CommandId, CommandId>) -> Item {
        let record = match entry {
            Ok(record) => record,
            Err(why) => return Item::over(why.place, why.raw, Taken::Rejected(why.reason)),
        };
        let said = (self.map)(&record);
        let Record { place, raw, .. } = record;
        let imported = match said {
            Ok(Imported {
                refused: Some(why), ..
            })
            | Err(why) => return Item::over(place, raw, Taken::Rejected(why.into_reason())),
            Ok(imported) => imported,
        };
        let key = key::<F>(&imported.tenant, &imported.subject);
        let identity = Identity::new(&self.source, &key, &raw);
        match seen.entry(identity.creation) {
            Seen::Vacant(first) => _ = first.insert(identity.import),
            Seen::Occupied(first) if *first.get() == identity.import => {
                return Item::over(place, raw, Taken::Unchanged);
            }
            Seen::Occupied(_) => {
                let why = "another record of this run is of the same subject: make one of them";
                return Item::over(place, raw, Taken::Rejected(why.to_owned()));
            }
        }
        let ready = Ready {
            key,
            identity,
            past: imported.past,
            facts: imported.facts,
        };
        Item {
            place,
            raw,
            what: What::Ready(Box::new(ready)),
        }
    }

    /// All that could be taken is counted, also when some could not because of the store.
    async fn take(
        &mut self,
        batch: Vec<Item>,
        report: &mut Report,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let run = Run {
            store: &**self.onramp.store(),
            plan: self.onramp.flow().plan(),
            source: &self.source,
            policy: self.policy,
            dry: report.dry_run,
            now: self.onramp.now(),
        };
        let (mut places, mut works) = (Vec::new(), Vec::<super::together::Work<'_, _>>::new());
        for Item { place, raw, what } in batch {
            places.push((place, raw));
            works.push(Box::pin(async move {
                match what {
                    What::Ready(ready) => run.take(*ready).await,
                    What::Over(taken) => Ok(taken),
                }
            }));
        }
        let mut failed: Option<Error> = None;
        for ((place, raw), taken) in places.into_iter().zip(together(works).await) {
            let taken = match taken {
                Ok(taken) => taken,
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            };
            report.read += 1;
            match taken {
                Taken::Completed => report.completed += 1,
                Taken::Pending => report.pending += 1,
                Taken::Filled => report.filled += 1,
                Taken::Unchanged => report.unchanged += 1,
                Taken::Kept => report.kept += 1,
                Taken::Rejected(reason) => {
                    if let Some(to) = self.quarantine.as_mut().filter(|_| !report.dry_run) {
                        quarantine::write(to, self.source.as_str(), &place, &reason, &raw)?;
                        to.flush()?;
                    }
                    report.reject(place, reason);
                }
            }
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

impl<F, M> fmt::Debug for Import<'_, F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("source", &self.source)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A record that was read.
struct Item {
    place: Place,
    raw: Vec<u8>,
    what: What,
}

enum What {
    Ready(Box<Ready>),
    /// The store need not be asked.
    Over(Taken),
}

impl Item {
    fn over(place: Place, raw: Vec<u8>, taken: Taken) -> Self {
        let what = What::Over(taken);
        Self { place, raw, what }
    }
}

fn stopped(report: Report, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Stopped {
    let (report, cause) = (Box::new(report), cause.into());
    Stopped { report, cause }
}
