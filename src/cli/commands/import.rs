//! Takes over what another system knew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use clap::{ValueEnum, value_parser};
use serde::Serialize;

use crate::cli::answer::Answer;
use crate::cli::problem::{Exit, Problem, code};
use crate::cli::run::Context;
use crate::cli::sources::{Records, Wish};
use crate::import::{Conflict, Report, Stopped, csv, json_files};
use crate::store::Error;

#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("records").required(true))]
pub(in crate::cli) struct Args {
    /// The source, if the program knows several
    #[arg(long)]
    source: Option<String>,
    /// Read records from CSV, whose first line names the columns; - for standard input
    #[arg(long, value_name = "FILE", group = "records")]
    csv: Option<PathBuf>,
    /// What is between the columns, if it is no comma
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter, requires = "csv")]
    delimiter: Option<u8>,
    /// Read records from the JSON files of a folder, one a file
    #[arg(long, value_name = "FOLDER", group = "records")]
    json_files: Option<PathBuf>,
    /// Which files of the folder; one * stands for anything
    #[arg(long, value_name = "PATTERN", default_value = "*.json")]
    files: String,
    /// What becomes of subjects that have an onboarding already
    #[arg(long, default_value = "keep")]
    on_conflict: Policy,
    /// Where records go that are not imported, a line of JSON each: a new file. It holds what they hold
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    quarantine: Option<PathBuf>,
    /// Report what would become of each record, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// How many records are under way at once; with 1, of two that reserve the same the first has it
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u32).range(1..=256))]
    at_once: u32,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
#[value(rename_all = "snake_case")]
enum Policy {
    /// It stays as it is
    Keep,
    /// One that is pending is given what it lacks
    FillPending,
    /// The record goes to the quarantine
    Quarantine,
}

impl Policy {
    fn conflict(self) -> Conflict {
        match self {
            Self::Keep => Conflict::KeepExisting,
            Self::FillPending => Conflict::FillPending,
            Self::Quarantine => Conflict::Quarantine,
        }
    }
}

#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    report: Report,
    /// The file, if there is anything in it.
    quarantine: Option<PathBuf>,
}

pub(in crate::cli) async fn answer(cx: &Context<'_>, args: &Args) -> Result<Answer, Problem> {
    let source = cx.sources.one(args.source.as_deref())?;
    let bar = cx.spinner("records");
    let (records, counted) = (args.records()?, bar.clone());
    let records = records.inspect(move |_| counted.inc(1));
    let path = args.quarantine.as_deref().filter(|_| !args.dry_run);
    let wish = Wish {
        policy: args.on_conflict.conflict(),
        at_once: args.at_once as usize,
        dry_run: args.dry_run,
        quarantine: match path {
            Some(path) => Some(Box::new(BufWriter::new(created(path)?))),
            None => None,
        },
    };
    let ended = source.import(&cx.store, wish, Box::new(records)).await;
    bar.finish_and_clear();
    let report = match &ended {
        Ok(report) => report,
        Err(stopped) => &*stopped.report,
    };
    let quarantine = path.filter(|_| report.quarantined > 0);
    if let (Some(path), None) = (path, quarantine) {
        // An empty file says nothing; that it stays is no failure of the import.
        let _ = fs::remove_file(path);
    }
    let report = ended.map_err(|stopped| told(&stopped))?;
    let mut text = report.to_string();
    if let Some(path) = quarantine {
        text += &format!("\nwhat was left out is in {}", path.display());
    }
    let exit = match report.quarantined {
        0 => Exit::Done,
        _ => Exit::Found,
    };
    let quarantine = quarantine.map(Path::to_owned);
    Ok(Answer::new(Told { report, quarantine }, text)?.ending(exit))
}

impl Args {
    fn records(&self) -> Result<Records, Problem> {
        match (&self.csv, &self.json_files) {
            (Some(path), _) => {
                let (name, reader): (_, Box<dyn BufRead + Send>) = match path.to_str() {
                    Some("-") => ("stdin".to_owned(), Box::new(BufReader::new(io::stdin()))),
                    _ => {
                        let file = File::open(path).map_err(|why| unreadable(path, &why))?;
                        (path.display().to_string(), Box::new(BufReader::new(file)))
                    }
                };
                Ok(Box::new(
                    csv(name, reader).delimiter(self.delimiter.unwrap_or(b',')),
                ))
            }
            (None, Some(folder)) => {
                let files = json_files(folder, &self.files);
                Ok(Box::new(files.map_err(|why| unreadable(folder, &why))?))
            }
            (None, None) => Err(Problem::usage("where are the records?")
                .hint("name them with --csv or with --json-files")),
        }
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [b'\n' | b'\r' | b'"'] => Err("a line's end or a quote cannot be between columns".into()),
        &[one] if one.is_ascii() => Ok(one),
        _ => Err("give one character of ASCII, for instance ';'".into()),
    }
}

/// A new file, which nobody else may read: there are people in it.
fn created(path: &Path) -> Result<File, Problem> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|why| {
        let problem = Problem::new("unwritable", format!("{}: {why}", path.display()));
        match why.kind() {
            io::ErrorKind::AlreadyExists => {
                problem.hint("what is in it may still be needed: name another file")
            }
            _ => problem.hint("name a file in a folder that you may write to"),
        }
    })
}

fn unreadable(path: &Path, why: &io::Error) -> Problem {
    Problem::new("unreadable", format!("{}: {why}", path.display()))
        .hint("nothing was imported; is the path right?")
}

fn told(stopped: &Stopped) -> Problem {
    let code = match stopped.cause.downcast_ref::<Error>() {
        Some(error) => code(error.kind()),
        None => "failed",
    };
    Problem::new(code, format!("{stopped}\n{}", stopped.report))
        .hint("run it again: what was imported is not imported twice")
}
