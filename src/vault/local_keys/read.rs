//! Where local keys are read from, and what is refused.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use super::{LocalKey, LocalKeys};
use crate::vault::keys::{KEY_BYTES, KeyError, KeyErrorKind, KeyId};

/// A file of keys is short; anything longer is another file.
const MAX_FILE: u64 = 64 * 1024;

const MAKE: &str = "`openssl rand -base64 32` makes some";

pub(super) fn from_env(variable: &str) -> Result<LocalKeys, KeyError> {
    match std::env::var(variable) {
        Ok(text) => parse(variable, &Zeroizing::new(text)),
        Err(std::env::VarError::NotPresent) => Err(invalid(format!(
            "{variable} is not set: give it keys as `name = key`, {MAKE}"
        ))),
        Err(std::env::VarError::NotUnicode(_)) => Err(invalid(format!(
            "{variable} is not text: give it base64 or hex"
        ))),
    }
}

pub(super) fn from_file(path: &Path) -> Result<LocalKeys, KeyError> {
    let source = path.display().to_string();
    let failed = |error: std::io::Error| {
        invalid(format!("{source} cannot be read: is it there, and yours?")).because(error)
    };
    let file = File::open(path).map_err(failed)?;
    // Of the open file, not of the path, which could be another one by now.
    let about = file.metadata().map_err(failed)?;
    private(&source, &about)?;
    if about.len() > MAX_FILE {
        let len = about.len();
        return Err(invalid(format!(
            "{source} is {len} bytes long: a file of keys has {MAX_FILE} at most"
        )));
    }
    // As large as the file from the beginning: a text that grows leaves copies behind.
    let room = usize::try_from(about.len()).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(String::with_capacity(room));
    file.take(MAX_FILE)
        .read_to_string(&mut text)
        .map_err(failed)?;
    parse(&source, &text)
}

#[cfg(unix)]
fn private(source: &str, about: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    match about.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(invalid(format!(
            "{source} is open to others (mode {mode:04o}): `chmod 600 {source}`"
        ))),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn private(_: &str, _: &std::fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

pub(super) fn parse(source: &str, text: &str) -> Result<LocalKeys, KeyError> {
    let lines = text.lines().filter(|line| !line.trim().starts_with('#'));
    let entries = lines.flat_map(|line| line.split(',')).map(str::trim);
    let mut keys = Vec::<LocalKey>::new();
    for (nth, entry) in (1..).zip(entries.filter(|entry| !entry.is_empty())) {
        let wrong = |what: String| invalid(format!("{source}: entry {nth}{what}"));
        let (id, key) = entry
            .split_once('=')
            .ok_or_else(|| wrong(": there is no `=`: write `name = key`".to_owned()))?;
        let id = KeyId::new(id.trim()).map_err(|error| wrong(format!(": {error}")))?;
        // Its name is not repeated: without a `name =` before it, a key that ends in `=` is taken for one.
        let key = bytes(key.trim()).map_err(|what| wrong(format!(": {what}")))?;
        if let Some(twin) = keys.iter().find(|known| known.id == id || known.key == key) {
            let twin = &twin.id;
            return Err(wrong(format!(
                " ({id}): same name or key as {twin}: give each key once"
            )));
        }
        keys.push(LocalKey { id, key });
    }
    match keys.is_empty() {
        true => Err(invalid(format!(
            "{source}: no key in it: write `name = key`, {MAKE}"
        ))),
        false => Ok(LocalKeys { keys }),
    }
}

fn bytes(text: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, String> {
    let hex = text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let decoded = match hex {
        true => from_hex(text),
        false if text.ends_with('=') => Base64::decode_vec(text).ok(),
        false => Base64Unpadded::decode_vec(text).ok(),
    };
    let decoded = Zeroizing::new(decoded.ok_or("the key is neither base64 nor 64 digits of hex")?);
    let len = decoded.len();
    let key: [u8; KEY_BYTES] = decoded
        .as_slice()
        .try_into()
        .map_err(|_| format!("the key is {len} bytes long: use {KEY_BYTES}, {MAKE}"))?;
    let key = Zeroizing::new(key);
    match key.iter().all(|byte| *byte == key[0]) {
        true => Err(format!("the key is one byte over and over: {MAKE}")),
        false => Ok(key),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks_exact(2);
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    pairs.map(byte).collect()
}

fn invalid(message: String) -> KeyError {
    KeyError::new(KeyErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
    const BASE64: &str = "j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=";

    fn refused(text: &str) -> String {
        parse("the keys", text).unwrap_err().to_string()
    }

    #[test]
    fn every_spelling_of_a_key_is_read() {
        let bare = BASE64.trim_end_matches('=');
        let upper = HEX.to_uppercase();
        for key in [HEX, BASE64, bare, &upper] {
            parse("the keys", &format!("a={key}")).unwrap();
        }
        let two = parse("the keys", &format!("\n # old\nb = {HEX} , a = {BASE64}\n")).unwrap();
        assert_eq!(two.newest().as_str(), "b");
        assert_eq!(format!("{two:?}"), r#"[KeyId("b"), KeyId("a")]"#);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        let twice = format!("a = {HEX}, a = {BASE64}");
        let same = format!("a = {HEX}, b = {HEX}");
        let zeros = format!("a = {}", "0".repeat(64));
        let long = format!("a = {HEX}00");
        let cases = [
            ("", "no key in it"),
            (HEX, "entry 1: there is no `=`"),
            (twice.as_str(), "entry 2 (a): same name or key as a"),
            (&same, "entry 2 (b): same name or key as a"),
            (&zeros, "entry 1: the key is one byte over and over"),
            (&long, "entry 1: the key is neither base64 nor"),
            ("a = c2VjcmV0", "entry 1: the key is 6 bytes long: use 32"),
            ("a = not+base64!", "neither base64 nor"),
            ("two words = x", "the name of a key is none"),
            // The key alone, whose padding looks like the end of a name; and both the wrong way round.
            (
                &BASE64.replace(['+', '/'], "a"),
                "entry 1: the key is 0 bytes",
            ),
            (&format!("{HEX} = a"), "entry 1: the key is"),
        ];
        for (text, expected) in cases {
            let said = refused(text);
            assert!(said.contains(expected), "{text}: {said}");
            assert!(!said.contains("8f3c") && !said.contains("c2Vj"), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, format!("a = {HEX}\n")).unwrap();
        let with = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            from_file(&path)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        for mode in [0o400, 0o600] {
            with(mode).unwrap();
        }
        for mode in [0o604, 0o640, 0o666, 0o602] {
            let said = with(mode).unwrap_err();
            assert!(
                said.contains(&format!("(mode {mode:04o}): `chmod 600")),
                "{said}"
            );
        }
        let missing = from_file(&folder.path().join("none")).unwrap_err();
        assert!(missing.to_string().ends_with("is it there, and yours?"));
    }
}
