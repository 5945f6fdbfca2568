//! Stores that keep something else than what they were given, each found out by one clause and by
//! no other.

use std::sync::Arc;

use async_trait::async_trait;
use onramp::flow::EncodedFact;
use onramp::prelude::*;
use onramp::store::{
    Commit, CommitOutcome, Created, Error, ErrorKind, FactChange, FactRecord, JournalEntry,
    NewOnboarding, Row,
};
use onramp::testing::{Layer, Layered, conformance};
use onramp::{FlowName, Key, Revision};

/// What databases, columns and drivers do to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inexact {
    /// A collation that folds case.
    FoldsCase,
    /// A driver that composes.
    ComposesKeys,
    /// A pattern where a value was meant.
    TakesUnderscoreForAnything,
    /// A collation that pads with spaces.
    PadsKeys,
    /// A column that is too short, of a database that says nothing.
    CutsAt64Kib,
    /// A filter that drops what is not seen.
    LosesMarks,
    ComposesText,
    /// A column of JSON that is taken apart.
    RewritesJson,
    /// A column of fixed width.
    TrimsText,
    /// Limits of one's own, or none.
    TakesTooMuch,
    /// A database that refuses by itself, too late for the rest of the transaction.
    RefusesHalf,
    /// Which a caller would try again for ever.
    CallsItUnavailable,
}

const WAYS: [(Inexact, &str); 12] = [
    (Inexact::FoldsCase, "keys_are_exact"),
    (Inexact::ComposesKeys, "keys_are_exact"),
    (Inexact::TakesUnderscoreForAnything, "keys_are_exact"),
    (Inexact::PadsKeys, "keys_are_exact"),
    (Inexact::CutsAt64Kib, "a_fact_of_exactly_the_limit_survives"),
    (Inexact::LosesMarks, "text_survives_byte_for_byte"),
    (Inexact::ComposesText, "text_survives_byte_for_byte"),
    (Inexact::RewritesJson, "text_survives_byte_for_byte"),
    (Inexact::TrimsText, "text_survives_byte_for_byte"),
    (Inexact::TakesTooMuch, "what_is_over_a_limit_is_refused"),
    (Inexact::RefusesHalf, "what_is_over_a_limit_is_refused"),
    (
        Inexact::CallsItUnavailable,
        "what_is_over_a_limit_is_refused",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_found_out_by_one_clause() {
    for (how, clause) in WAYS {
        let inner = MemoryStore::new();
        let violations = conformance::check(Arc::new(Layered(Changing { how, inner }))).await;
        let found: Vec<_> = violations.iter().map(|found| found.clause).collect();
        assert_eq!(found, [clause], "{how:?}: {violations:#?}");
        println!("{how:?}: {}", violations[0]);
    }
}

/// A memory store that is inexact in one way.
struct Changing {
    how: Inexact,
    inner: MemoryStore,
}

fn composed(text: &str) -> String {
    text.replace("a\u{308}", "\u{e4}")
}

impl Changing {
    fn subject(&self, subject: &str) -> String {
        match self.how {
            Inexact::FoldsCase => subject.to_lowercase(),
            Inexact::ComposesKeys => composed(subject),
            Inexact::TakesUnderscoreForAnything => subject.replace('_', "."),
            _ => subject.to_owned(),
        }
    }

    fn json(&self, json: &str) -> String {
        match self.how {
            Inexact::CutsAt64Kib if json.len() > 65_535 => {
                let cut = json.char_indices().take_while(|(at, _)| *at < 65_530);
                cut.map(|(_, c)| c).chain(['"']).collect()
            }
            Inexact::LosesMarks => json.replace(['\u{200d}', '\u{200f}', '\u{202e}'], ""),
            Inexact::ComposesText => composed(json),
            Inexact::RewritesJson => match serde_json::from_str::<serde_json::Value>(json) {
                Ok(value) => value.to_string(),
                Err(_) => json.to_owned(),
            },
            _ => json.to_owned(),
        }
    }
}

#[async_trait]
impl Layer for Changing {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    async fn create(&self, new: NewOnboarding) -> Result<Created, Error> {
        let key = new.row.state.key().clone();
        let subject = SubjectId::new(self.subject(key.subject.as_str())).unwrap();
        if let Some(row) = self.inner.find(&Key { subject, ..key }).await? {
            return Ok(Created { row, fresh: false });
        }
        self.inner.create(new).await
    }

    async fn find(&self, key: &Key) -> Result<Option<Row>, Error> {
        let mut key = key.clone();
        if self.how == Inexact::PadsKeys {
            key.flow = FlowName::from_text(key.flow.as_str().trim_end());
        }
        self.inner.find(&key).await
    }

    async fn commit(&self, mut commit: Commit) -> Result<CommitOutcome, Error> {
        let Err(error) = commit.check() else {
            return self.inner.commit(commit).await;
        };
        match self.how {
            Inexact::TakesTooMuch => Ok(CommitOutcome::Committed),
            Inexact::RefusesHalf => {
                let stays = |change: &FactChange| match change {
                    FactChange::Put(record) => record.fact.check().is_ok(),
                    FactChange::Remove(_) => true,
                };
                commit.facts.retain(stays);
                let _half = self.inner.commit(commit).await;
                Err(error)
            }
            Inexact::CallsItUnavailable => Err(Error::new(
                ErrorKind::Unavailable,
                "the database does not take it",
            )),
            _ => Err(error),
        }
    }

    async fn facts(&self, tenant: &TenantId, id: OnboardingId) -> Result<Vec<FactRecord>, Error> {
        let mut facts = self.inner.facts(tenant, id).await?;
        for record in &mut facts {
            let (step, version) = (record.fact.step().clone(), record.fact.version());
            let json = self.json(record.fact.json());
            record.fact = EncodedFact::from_stored(step, version, json).unwrap();
        }
        Ok(facts)
    }

    async fn journal(
        &self,
        tenant: &TenantId,
        id: OnboardingId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, Error> {
        let mut journal = self.inner.journal(tenant, id, after, limit).await?;
        for entry in &mut journal {
            if let Actor::Operator(name) = &mut entry.by
                && self.how == Inexact::TrimsText
            {
                name.truncate(name.trim_end().len());
            }
        }
        Ok(journal)
    }
}
