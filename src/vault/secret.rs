//! Bytes that nobody sees by accident.

use zeroize::Zeroizing;

/// A secret in memory: a provider's key, a generated key, a token's text.
///
/// **It leaves by [`expose`](Self::expose) alone.** It has no `Debug`, no `Display`, no `Serialize`
/// and no `Clone`, so a struct that holds one cannot be logged or stored by a derive, and a fact cannot
/// hold one. Its memory is overwritten when it is dropped.
///
/// ```
/// use onramp::vault::Secret;
/// let key = Secret::from(String::from("sk-proj-4242"));
/// assert_eq!(key.expose_text(), Some("sk-proj-4242"));
/// ```
///
/// ```compile_fail
/// # use onramp::vault::Secret;
/// println!("{:?}", Secret::from(String::from("sk-proj-4242"))); // it has no `Debug`
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over, without a copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Whoever asks for them answers for where they go.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text; none when it is not UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}
