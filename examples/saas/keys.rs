//! The secrets of this installation, each in a file that only its owner can read.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use onramp::vault::LocalKeys;
use sha2::Sha256;

pub(crate) struct Keys {
    /// Signs cookies and forms.
    session: String,
    /// What our payment provider signs with.
    pub(crate) webhook: String,
    /// What operators sign in with.
    pub(crate) operator: String,
}

/// Makes the folder, if it is not there, for its owner alone. Among the temporary folders somebody else may
/// have made one of that name: our keys do not go into it.
pub(crate) fn folder(data: &Path) -> Result<(), Box<dyn Error>> {
    let refused = |why: &dyn std::fmt::Display| {
        let data = data.display();
        format!("cannot use the folder {data}: {why}; name another with --data DIR")
    };
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data);
    made.map_err(|error| refused(&error))?;
    let owner = fs::metadata(data).map_err(|error| refused(&error))?.uid();
    match owner == rustix::process::getuid().as_raw() {
        true => Ok(()),
        false => Err(refused(&"it is somebody else's").into()),
    }
}

impl Keys {
    /// Those in a folder; made the first time.
    pub(crate) fn open(data: &Path) -> Result<(Self, LocalKeys), Box<dyn Error>> {
        let vault = data.join("vault.keys");
        file(&vault, || {
            Ok(format!("first = {}\n", STANDARD.encode(random::<32>()?)))
        })?;
        let keys = Self {
            session: file(&data.join("session.key"), token)?,
            webhook: file(&data.join("webhook.key"), || {
                Ok(format!("whsec_{}", STANDARD.encode(random::<24>()?)))
            })?,
            operator: file(&data.join("operator.code"), || {
                Ok(URL_SAFE_NO_PAD.encode(random::<9>()?))
            })?,
        };
        Ok((keys, LocalKeys::from_file(vault)?))
    }

    /// What nobody else can make of these parts. `purpose` keeps cookies, forms and codes apart.
    pub(crate) fn sign(&self, purpose: &str, parts: &[&str]) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, parts).finalize().into_bytes())
    }

    /// Whether it is that. Takes as long wherever it differs.
    pub(crate) fn is_signed(&self, purpose: &str, parts: &[&str], signature: &str) -> bool {
        let given = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        self.mac(purpose, parts).verify_slice(&given).is_ok()
    }

    fn mac(&self, purpose: &str, parts: &[&str]) -> Hmac<Sha256> {
        keyed(self.session.as_bytes(), [purpose].iter().chain(parts))
    }
}

/// HMAC-SHA-256 over parts, each after its length: no two lists are the same text.
fn keyed<'a>(key: &[u8], parts: impl Iterator<Item = &'a &'a str>) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "RFC 2104 takes keys of any length")]
    let mut mac = Hmac::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

/// 256 bits that nobody can guess, as text for cookies and links.
pub(crate) fn token() -> Result<String, getrandom::Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

type Made = Result<String, getrandom::Error>;

fn file(path: &Path, make: impl FnOnce() -> Made) -> Result<String, Box<dyn Error>> {
    if !path.exists() {
        // Under another name first: a crash in between leaves no half of a key.
        let draft = path.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(make()?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
    }
    Ok(fs::read_to_string(path)?.trim().to_owned())
}
