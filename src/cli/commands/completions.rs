//! Completions for shells, made from the arguments themselves.

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::args;
use crate::cli::problem::Problem;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The shell
    shell: Shell,
}

#[derive(Serialize)]
struct Completions {
    shell: String,
    script: String,
}

pub(in crate::cli) fn answer(args: &Args, program: &str) -> Result<Answer, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::Args::command(), program, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let text = script.clone();
    let shell = args.shell.to_string();
    Answer::new(Completions { shell, script }, text)
}
