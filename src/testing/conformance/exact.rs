//! What is kept is kept byte by byte; what could not be is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::onboard::{Place, fact, told};
use super::{Found, hold};
use crate::flow::{MAX_FACT_BYTES, MAX_FACT_DEPTH};
use crate::id::{Actor, FlowName, MAX_ID_BYTES, Revision, TenantId};
use crate::lifecycle::Action;
use crate::store::{Commit, Error, ErrorKind, FactChange, Row, Store};

/// Each pair or row of these is one and the same to some collation, normal form or pattern.
const ALIKE: [&str; 30] = [
    // The dot and the percent sign of patterns; case; white space.
    "a.b",
    "a_b",
    "a%b",
    "A.b",
    "a.B",
    "a b",
    "a  b",
    "a\u{a0}b",
    "ab",
    "a\\b",
    "a'b",
    "a.b'--",
    // What is not seen, also at the end, where a space is refused.
    "a.b\u{200b}",
    "a.b\u{2800}",
    "a.b\u{feff}",
    "\u{feff}a.b",
    // Composed and decomposed.
    "\u{e4}.b",
    "a\u{308}.b",
    "\u{ac00}",
    "\u{1100}\u{1161}",
    // Compatible, folded, or of no accent.
    "\u{fb01}",
    "fi",
    "stra\u{df}e",
    "strasse",
    "k",
    "\u{212a}",
    "\u{131}",
    "i",
    // Beyond the first plane.
    "\u{1f680}",
    "\u{1f681}",
];

pub(super) async fn keys_are_exact(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let mut ids = BTreeSet::new();
    for subject in ALIKE {
        ids.insert(place.create(place.key(subject)?).await?.row.state.id());
    }
    let mut longest = "x".repeat(MAX_ID_BYTES);
    for last in ["x", "y"] {
        longest.replace_range(MAX_ID_BYTES - 1.., last);
        ids.insert(place.create(place.key(&longest)?).await?.row.state.id());
    }
    hold!(
        ids.len() == ALIKE.len() + 2,
        "{} keys made {} onboardings",
        ALIKE.len() + 2,
        ids.len()
    );
    for subject in ALIKE {
        let found = place.store.find(&place.key(subject)?).await.map_err(told)?;
        let found = found.map(|row| row.state.key().subject.to_string());
        hold!(
            found.as_deref() == Some(subject),
            "{subject:?} was found as {found:?}"
        );
    }
    tenants_are_exact(&place).await?;
    // Of a flow, the name is all that can end with a space.
    let mut padded = place.key("a.b")?;
    padded.flow = FlowName::from_text(format!("{} ", padded.flow));
    let found = place.store.find(&padded).await;
    hold!(
        !matches!(found, Ok(Some(_))),
        "a flow's name was found with a space after it"
    );
    Ok(())
}

async fn tenants_are_exact(place: &Place) -> Found {
    let mut ids = BTreeSet::new();
    for tenant in ALIKE {
        let mut key = place.key("org-1")?;
        key.tenant = TenantId::new(format!("{tenant}/{}", place.tenant)).map_err(told)?;
        ids.insert(place.create(key.clone()).await?.row.state.id());
        let found = place.store.find(&key).await.map_err(told)?;
        hold!(
            found.is_some_and(|row| *row.state.key() == key),
            "the tenant {tenant:?} was not found as itself"
        );
    }
    hold!(
        ids.len() == ALIKE.len(),
        "{} tenants made {} onboardings",
        ALIKE.len(),
        ids.len()
    );
    Ok(())
}

pub(super) async fn a_fact_of_exactly_the_limit_survives(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let large = |text: &str| {
        let filled = text.repeat((MAX_FACT_BYTES - 2) / text.len());
        let rest = "x".repeat(MAX_FACT_BYTES - 2 - filled.len());
        format!("\"{filled}{rest}\"")
    };
    let deep = "[".repeat(MAX_FACT_DEPTH) + &"]".repeat(MAX_FACT_DEPTH);
    let texts = [large("x"), large("\u{e9}\u{1f680}"), deep];
    keeps(&place, &row, &texts).await
}

/// Texts that a column of another kind, a collation or a driver changes.
const ODD: [&str; 16] = [
    // Emoji of several characters; a flag; skin; the last character that there is.
    "\"\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\"",
    "\"\u{1f1e6}\u{1f1f6} \u{1f44d}\u{1f3fd} \u{10ffff} \u{ffff}\"",
    // From right to left, with marks and an override.
    "\"\u{5e9}\u{5c1}\u{5b8}\u{5dc}\u{5d5}\u{5b9}\u{5dd} \u{200f}\u{202e}abc\u{202c}\"",
    "\"\u{645}\u{64e}\u{631}\u{652}\u{62d}\u{64e}\u{628}\u{64b}\u{627}\"",
    // Composed, decomposed, several marks, compatible.
    "\"\u{e4} a\u{308} \u{1ec7} e\u{302}\u{323} e\u{323}\u{302}\"",
    "\"\u{ac00} \u{1100}\u{1161} \u{fb01} \u{212a} \u{df}\"",
    // White space at both ends; none that is seen; a byte order mark; separators of lines.
    "\"  a  \"",
    "\"\\t\\r\\n \u{a0}\u{3000}\u{200b}\u{feff}\u{2028}\u{2029}\"",
    "\"\u{feff}\"",
    "\"\"",
    // What is something to SQL, to patterns, to drivers.
    "\"'; DROP TABLE x; -- \\\" \\\\ \\\\' % _ $1 ? :a {} NULL\"",
    "null",
    // JSON as it was written: the commitment in the journal is over this very text.
    "{ \"b\" : 1.0e+2,\t\"a\":[ ] , \"b\":2 }",
    "[1.10, 1e400, -0, 123456789012345678901234567890]",
    "\"\\u0041\\/\\ud83d\\ude80\"",
    "{\"\\u00e4\":1,\"\u{e4}\":2,\"a\u{308}\":3}",
];

pub(super) async fn text_survives_byte_for_byte(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    keeps(&place, &row, &ODD).await?;
    // Who did something is text as well, and part of what the journal's hashes are over.
    for (n, name) in ["ann", "ann ", " Ann", "\u{e4}nn", "a\u{308}nn", ""]
        .iter()
        .enumerate()
    {
        let row = place.started(&format!("org-by-{n}")).await?;
        let by = Actor::Operator((*name).to_owned());
        let cancel = place.commit(&row, by, Action::Cancel, None)?;
        let entry = cancel.entry.clone();
        place.committed(cancel).await?;
        let (id, after) = (row.state.id(), row.state.revision());
        let journal = place.store.journal(&place.tenant, id, after, 1).await;
        let journal = journal.map_err(told)?;
        hold!(journal == [entry], "by {name:?} came back as {journal:?}");
    }
    Ok(())
}

/// Holds that these facts come back as they went.
async fn keeps(place: &Place, row: &Row, texts: &[impl AsRef<str>]) -> Found {
    let mut commit = place.answer(row)?;
    commit.facts.clear();
    for (n, text) in texts.iter().enumerate() {
        let record = fact(&format!("fact_{n}"), text.as_ref())?;
        commit.facts.push(FactChange::Put(record));
    }
    place.committed(commit).await?;
    let facts = place.store.facts(&place.tenant, row.state.id()).await;
    let facts = facts.map_err(told)?;
    hold!(
        facts.len() == texts.len(),
        "{} facts became {}",
        texts.len(),
        facts.len()
    );
    for (n, text) in texts.iter().enumerate() {
        let step = format!("fact_{n}");
        let record = facts.iter().find(|record| *record.fact.step() == *step);
        let found = record.map(|record| record.fact.json());
        let start = |text: &str| text.chars().take(60).collect::<String>();
        hold!(
            found == Some(text.as_ref()),
            "a fact of {} bytes, {}, came back as {:?} bytes, {:?}",
            text.as_ref().len(),
            start(text.as_ref()),
            found.map(str::len),
            found.map(start)
        );
    }
    Ok(())
}

/// A commit with one thing wrong.
struct Over {
    what: &'static str,
    commit: Commit,
}

pub(super) async fn what_is_over_a_limit_is_refused(store: Arc<dyn Store>) -> Found {
    let place = Place::new(store)?;
    let row = place.started("org-1").await?;
    let id = row.state.id();
    for Over { what, commit } in over(&place, &row)? {
        let command = commit.command();
        refused(what, place.store.commit(commit).await)?;
        let made = place.store.committed(&place.tenant, id, command).await;
        hold!(
            made.map_err(told)?.is_none(),
            "{what} was refused and is in the journal"
        );
    }
    let mut key = place.key("org-2")?;
    key.flow = FlowName::from_text("two words ");
    let created = place.store.create(place.draft(key)?).await;
    refused("a flow name of two words", created)?;

    hold!(
        place.load(id).await? == row,
        "a refused commit changed the row"
    );
    let facts = place.store.facts(&place.tenant, id).await.map_err(told)?;
    hold!(
        facts.is_empty(),
        "refused commits left {} facts",
        facts.len()
    );
    let journal = place.store.journal(&place.tenant, id, Revision::new(0), 99);
    let journal = journal.await.map_err(told)?.len();
    hold!(journal == 2, "the journal has {journal} entries, not 2");
    place.committed(place.answer(&row)?).await?;
    Ok(())
}

fn refused<T: std::fmt::Debug>(what: &str, given: Result<T, Error>) -> Found {
    match given {
        Err(error) if error.kind() == ErrorKind::Invalid => Ok(()),
        Err(error) => Err(format!(
            "{what} gave {:?} ({error}), not Invalid",
            error.kind()
        )),
        Ok(given) => Err(format!("{what} was taken: {given:?}")),
    }
}

/// Everything that [`Commit::check`] refuses, each in a commit that is otherwise right.
fn over(place: &Place, row: &Row) -> Result<Vec<Over>, String> {
    let mut all = Vec::new();
    let large = format!("\"{}\"", "x".repeat(MAX_FACT_BYTES - 1));
    let deep = "[".repeat(MAX_FACT_DEPTH + 1) + &"]".repeat(MAX_FACT_DEPTH + 1);
    for (what, step, json) in [
        ("a fact one byte too large", "company", large.as_str()),
        ("a fact one level too deep", "company", &deep),
        ("a fact with a NUL", "company", "[\"\\u0000\"]"),
        ("a fact with half of a character", "company", "\"\\ud83d\""),
        ("a step name with a space", "company ", "{}"),
        ("a step name with a NUL", "com\0pany", "{}"),
    ] {
        let mut commit = place.answer(row)?;
        commit.facts = vec![FactChange::Put(fact(step, json)?)];
        all.push(Over { what, commit });
    }
    let mut commit = place.answer(row)?;
    commit.facts = vec![FactChange::Remove(crate::StepName::from_text("a\0b"))];
    let what = "the removal of a step with a NUL";
    all.push(Over { what, commit });

    let long = "x".repeat(MAX_ID_BYTES + 1);
    for (what, name) in [
        ("an operator's name with a NUL", "a\0b"),
        ("an operator's name of two lines", "a\nb"),
        ("an operator's name that is too long", &long),
    ] {
        let by = Actor::Operator(name.to_owned());
        let commit = place.commit(row, by, Action::Cancel, None)?;
        all.push(Over { what, commit });
    }
    let mut commit = place.answer(row)?;
    commit.outbox = place.message(row, "two\0words");
    let what = "a topic with a NUL";
    all.push(Over { what, commit });
    Ok(all)
}
