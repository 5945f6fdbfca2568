//! A migration's text, taken apart into its statements.

/// The statements, without the `;` and without the comments before them. Comments inside stay:
/// operators read them.
pub(super) fn statements(mut script: &str) -> Vec<&str> {
    let mut found = Vec::new();
    while let Some(begun) = without_comments(script) {
        let end = end(begun);
        found.push(begun[..end].trim_end());
        script = begun.get(end + 1..).unwrap_or_default();
    }
    found
}

/// From where the next statement begins; `None` when there is none.
fn without_comments(script: &str) -> Option<&str> {
    let mut rest = script.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once('\n')?.1.trim_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// Where a statement ends: at a `;` that is neither quoted nor in a comment.
fn end(statement: &str) -> usize {
    let bytes = statement.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let skipped = match rest[0] {
            b';' => return at,
            quote @ (b'\'' | b'"' | b'`') => up_to(&rest[1..], quote) + 2,
            b'-' if rest.starts_with(b"--") => up_to(rest, b'\n'),
            _ => 1,
        };
        at += skipped;
    }
    bytes.len()
}

fn up_to(bytes: &[u8], byte: u8) -> usize {
    let found = bytes.iter().position(|b| *b == byte);
    found.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::statements;
    #[cfg(feature = "mysql")]
    use crate::store::sql::MySql;
    #[cfg(feature = "postgres")]
    use crate::store::sql::Postgres;
    #[cfg(feature = "sqlite")]
    use crate::store::sql::Sqlite;
    use crate::store::sql::dialect::Speaks;

    #[test]
    fn only_what_ends_a_statement_ends_it() {
        let script = "-- one; two\n\n  CREATE TABLE a (\n  b TEXT -- c; d\n);\n\
            INSERT INTO a VALUES (';''--', \"x;\", `y;`) ;\n-- the end;\nDROP TABLE a";
        let expected = [
            "CREATE TABLE a (\n  b TEXT -- c; d\n)",
            "INSERT INTO a VALUES (';''--', \"x;\", `y;`)",
            "DROP TABLE a",
        ];
        assert_eq!(statements(script), expected);
        for none in ["", " \n", "-- only this", "-- only this;\n "] {
            assert!(statements(none).is_empty(), "{none:?}");
        }
        assert_eq!(statements("SELECT 'not ended; "), ["SELECT 'not ended;"]);
    }

    #[test]
    fn the_first_version_is_statements_that_can_be_run_again() {
        let all = [
            #[cfg(feature = "sqlite")]
            <Sqlite as Speaks>::MIGRATIONS,
            #[cfg(feature = "postgres")]
            <Postgres as Speaks>::MIGRATIONS,
            #[cfg(feature = "mysql")]
            <MySql as Speaks>::MIGRATIONS,
        ];
        for script in all.map(|versions| versions[0]) {
            let statements = statements(script);
            assert_eq!(statements.len(), script.matches("\nCREATE ").count());
            for statement in statements {
                let first = statement.lines().next().unwrap();
                assert!(first.contains(" IF NOT EXISTS onramp_"), "{first}");
            }
        }
    }
}
