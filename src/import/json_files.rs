//! Records out of a folder of JSON files, one a file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::vec;

use serde_json::Value;

use super::MAX_RECORD_BYTES;
use super::csv::BOM;
use super::record::{Entry, Place, Record, Unreadable};

/// Records out of the files of a folder whose names are like a pattern, in the order of their names. The
/// one `*` of the pattern stands for anything; [`Record::wildcard`] tells what. Files are only read.
///
/// # Errors
/// Of the folder. A file that cannot be read is an entry.
///
/// ```
/// use onramp::import::json_files;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// std::fs::write(folder.join(".onboarding_progress_u1.json"), r#"{"step": 3}"#)?;
///
/// let record = json_files(folder, ".onboarding_progress_*.json")?.next();
/// let record = record.expect("there is one").expect("it is an object");
/// assert_eq!(record.wildcard(), Some("u1"));
/// assert_eq!(record.parse::<u8>("step").unwrap(), 3);
/// # Ok(()) }
/// ```
pub fn json_files(folder: impl AsRef<Path>, pattern: &str) -> io::Result<JsonFiles> {
    let folder = folder.as_ref().to_owned();
    let mut names = Vec::new();
    for file in fs::read_dir(&folder)? {
        let name = file?.file_name();
        if let Some(wildcard) = fits(&name.to_string_lossy(), pattern)
            && fs::metadata(folder.join(&name)).is_ok_and(|found| found.is_file())
        {
            names.push((name, wildcard));
        }
    }
    names.sort();
    Ok(JsonFiles {
        folder,
        names: names.into_iter(),
    })
}

/// Records out of a folder of JSON files: see [`json_files`].
///
/// ```
/// use onramp::import::{JsonFiles, json_files};
/// fn progress() -> std::io::Result<JsonFiles> {
///     json_files(".", ".onboarding_progress*.json")
/// }
/// ```
#[derive(Debug)]
pub struct JsonFiles {
    folder: PathBuf,
    names: vec::IntoIter<(OsString, String)>,
}

impl Iterator for JsonFiles {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (name, wildcard) = self.names.next()?;
        let place = Place {
            from: name.to_string_lossy().into_owned(),
            line: 1,
        };
        let unreadable = |why: String, raw| Unreadable::new(place.clone(), why, raw);
        let raw = match read(&self.folder.join(name)) {
            Ok(raw) => raw,
            Err(error) => {
                return Some(Err(unreadable(
                    format!("it cannot be read: {error}"),
                    Vec::new(),
                )));
            }
        };
        Some(match object(&raw) {
            Ok(fields) => Ok(Record {
                place,
                fields,
                raw,
                strict: false,
                wildcard: Some(wildcard),
            }),
            Err(why) => Err(unreadable(why, raw)),
        })
    }
}

/// What is too long is read so far as to see that.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    let most = MAX_RECORD_BYTES as u64 + 1;
    File::open(path)?.take(most).read_to_end(&mut raw)?;
    Ok(raw)
}

fn object(raw: &[u8]) -> Result<Value, String> {
    if raw.len() > MAX_RECORD_BYTES {
        return Err(format!("longer than {MAX_RECORD_BYTES} bytes: split it"));
    }
    let text = std::str::from_utf8(raw.strip_prefix(BOM).unwrap_or(raw));
    let text = text.map_err(|_| "not UTF-8: convert the file".to_owned())?;
    if text.trim().is_empty() {
        return Err("empty: was it cut off while it was written?".into());
    }
    match serde_json::from_str(text) {
        Ok(fields @ Value::Object(_)) => Ok(fields),
        Ok(_) => Err("no object: it has to begin with {".into()),
        Err(why) => Err(format!("not JSON: {why}")),
    }
}

fn fits(name: &str, pattern: &str) -> Option<String> {
    let Some((before, after)) = pattern.split_once('*') else {
        return (name == pattern).then(String::new);
    };
    let rest = name.strip_prefix(before)?.strip_suffix(after)?;
    Some(rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_what_stands_for_its_star() {
        let fits = |name| fits(name, ".onboarding_progress*.json");
        assert_eq!(fits(".onboarding_progress.json").as_deref(), Some(""));
        assert_eq!(
            fits(".onboarding_progress_a.b.json").as_deref(),
            Some("_a.b")
        );
        for other in [
            ".onboarding_progress",
            "x.onboarding_progress.json",
            ".json",
        ] {
            assert_eq!(fits(other), None, "{other}");
        }
    }
}
