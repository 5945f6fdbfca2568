//! The names of the tables: `onramp_` and what follows, or with a prefix of the host's.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::store::error::{Error, ErrorKind};
use crate::store::sql::claim::ClaimTexts;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::group::Texts;
use crate::store::sql::script;
use crate::store::sql::statements::Statements;

/// The prefix that every text is written with.
pub(super) const DEFAULT: &str = "onramp_";

/// So that the longest name made with it is one that every database takes.
const LONGEST: usize = 24;

/// What databases call their own tables.
const RESERVED: [&str; 2] = ["sqlite_", "pg_"];

/// The statements and migrations of a dialect, for one prefix.
pub(super) struct Names {
    pub(super) statements: Statements,
    pub(super) group: Texts,
    pub(super) claims: ClaimTexts,
    /// The statements that lead to each schema version, oldest version first.
    pub(super) migrations: Vec<Vec<&'static str>>,
}

/// Every one in use. They are kept for good, because statements are cached by their text: a program
/// has one prefix, or a few.
static KNOWN: Mutex<BTreeMap<(&str, String), &'static Names>> = Mutex::new(BTreeMap::new());

impl Names {
    /// Of tables with this prefix.
    pub(super) fn with<D: Dialect>(prefix: &str) -> Result<&'static Self, Error> {
        check(prefix)?;
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (D::NAME, prefix.to_owned());
        Ok(known
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(Self::of::<D>(prefix, D::MIGRATIONS)))))
    }

    /// Of a schema that these migrations make. The tests of migrating have lists of their own.
    pub(super) fn of<D: Dialect>(prefix: &str, migrations: &[&'static str]) -> Self {
        let renamed = |text: &'static str| renamed(text, prefix);
        let migrations = migrations.iter().map(|text| renamed(text));
        Self {
            statements: D::STATEMENTS.map(renamed),
            group: D::GROUP.map(renamed),
            claims: D::CLAIMS.map(renamed),
            migrations: migrations.map(script::statements).collect(),
        }
    }

    /// The version of the schema that they are of.
    pub(super) fn version(&self) -> u32 {
        u32::try_from(self.migrations.len()).unwrap_or(u32::MAX)
    }
}

fn renamed(text: &'static str, prefix: &str) -> &'static str {
    if prefix == DEFAULT {
        text
    } else {
        Box::leak(text.replace(DEFAULT, prefix).into_boxed_str())
    }
}

/// It becomes part of the statements' text, so nothing but these letters may ever get there.
fn check(prefix: &str) -> Result<(), Error> {
    let starts = prefix.starts_with(|first: char| first.is_ascii_lowercase());
    let goes_on = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let word = starts && prefix.ends_with('_') && prefix.chars().all(goes_on);
    let reserved = RESERVED.iter().any(|name| prefix.starts_with(name));
    if word && !reserved && prefix.len() <= LONGEST {
        return Ok(());
    }
    let shown: String = prefix.chars().take(2 * LONGEST).collect();
    Err(Error::new(
        ErrorKind::Config,
        format!(
            "the table prefix {shown:?} is not one: take a-z, 0-9 and _, a letter first and _ \
             last, {LONGEST} characters at most, and none that a database keeps for itself"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_plain_word() {
        let longest = format!("{}_", "a".repeat(LONGEST - 1));
        for good in ["onramp_", "a_", "tenant42_onboarding_", "pgx_", &longest] {
            check(good).unwrap();
        }
        for bad in [
            "",
            "_",
            "1_",
            "onramp",
            "On_",
            "a b_",
            "a;_",
            "a\"_",
            "a'_",
            "ü_",
            "a-_",
            "a\0_",
            "sqlite_",
            "sqlite_x_",
            "pg_",
            "a_\n",
        ] {
            assert_eq!(check(bad).unwrap_err().kind(), ErrorKind::Config, "{bad}");
        }
        assert!(check(&format!("a{longest}")).is_err());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn every_name_has_the_prefix() {
        use crate::store::sql::Sqlite;
        let names = Names::with::<Sqlite>("acme_").unwrap();
        assert!(names.statements.look.contains(" acme_onboarding "));
        let mut texts = names.migrations.iter().flatten();
        assert!(texts.all(|text| text.contains(" acme_") && !text.contains(DEFAULT)));
        let again = Names::with::<Sqlite>("acme_").unwrap();
        assert!(std::ptr::eq(names, again));
    }
}
