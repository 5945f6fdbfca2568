//! Asks before something is done that cannot be taken back.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::problem::Problem;

/// Goes on when it was said with `--yes`, or when a person at a terminal says so now.
pub(super) fn confirm(yes: bool, what: &str) -> Result<(), Problem> {
    if yes {
        return Ok(());
    }
    let (stdin, mut stderr) = (io::stdin(), io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        let message = format!("{what}: nobody is at a terminal to confirm that");
        return Err(Problem::usage(message).hint("add --yes"));
    }
    let mut said = String::new();
    let asked = write!(stderr, "{what}. Go on? [y/N] ").and_then(|()| stderr.flush());
    let read = asked.and_then(|()| stdin.lock().read_line(&mut said));
    match read {
        Ok(_) if matches!(said.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Problem::new(
            "refused",
            "not confirmed: nothing has changed",
        )),
    }
}
