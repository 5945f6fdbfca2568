//! Slugs out of any text: which separator, how long, which names are taken from the start.

use std::collections::BTreeSet;

use super::invalid::{FieldError, Problem, excerpt};
use super::slug::{Slug, SlugSuffix};
use super::transliterate::spell;

/// Makes slugs out of company names, and says which slugs a customer may choose.
///
/// **[`slug`](Self::slug) and [`candidate`](Self::candidate) are total: every text gives a valid
/// slug that is not reserved.** The way from a name to its slug:
///
/// 1. `™`, `®`, `©` and their like go, before they could become letters ("Acme™" is not "acmetm").
/// 2. Unicode NFKC (UAX #15) turns full-width, circled and mathematical letters into plain ones.
/// 3. Letters and digits of any script are spelled in ASCII; accents and apostrophes vanish;
///    everything else separates words. Signs and emoji beside letters are decoration and vanish,
///    but when a name has nothing else, they are spelled in words: "🚀" gives `rocket`.
/// 4. Lower case; one separator between words; cut at [`max_len`](Self::with_max_len).
/// 5. A name that leaves nothing becomes `org`. A number gets `org` in front.
/// 6. A reserved name gets a suffix.
///
/// The spelling follows the `deunicode` tables, one character at a time. It is meant to be
/// readable, not to be right in every language: Japanese kanji are spelled as in Chinese. A slug is
/// therefore made once and kept, and **never computed anew** from the name.
///
/// Slugs of different names can be equal, and so can names. Uniqueness is a matter of the store:
/// reserve [`candidate`](Self::candidate)s in order of rounds until one is free.
///
/// ```
/// use onramp::fields::SlugPolicy;
///
/// let policy = SlugPolicy::default();
/// assert_eq!(policy.slug("Acme™ Inc. 🚀").as_str(), "acme-inc");
/// assert_eq!(policy.slug("Ünlü İnşaat A.Ş.").as_str(), "unlu-insaat-a-s");
/// assert_eq!(policy.slug("🚀").as_str(), "rocket");
/// assert_eq!(policy.slug("").as_str(), "org");
///
/// // The name is taken: the next rounds carry a suffix, the same ones after a crash.
/// let seed = 0x0190_0000_0000_7000_8000_0000_0000_002a;
/// assert_eq!(policy.candidate("Acme", seed, 0).as_str(), "acme");
/// let second = policy.candidate("Acme", seed, 1);
/// assert!(second.as_str().starts_with("acme-"));
/// assert_eq!(second, policy.candidate("Acme", seed, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlugPolicy {
    separator: SlugSeparator,
    max_len: usize,
    /// With `-` between words, whatever the separator is.
    reserved: BTreeSet<String>,
}

/// What stands between the words of a slug.
///
/// ```
/// use onramp::fields::{SlugPolicy, SlugSeparator};
/// let policy = SlugPolicy::default().with_separator(SlugSeparator::Underscore);
/// assert_eq!(policy.slug("Acme Inc.").as_str(), "acme_inc");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlugSeparator {
    /// `-`, which host names allow.
    Hyphen,
    /// `_`, which identifiers of databases allow.
    Underscore,
}

impl SlugPolicy {
    /// The shortest limit of length there is: room for some letters before the suffix.
    pub const MIN_MAX_LEN: usize = 16;

    /// The limit of length unless another is set.
    pub const DEFAULT_MAX_LEN: usize = 40;

    /// Sets the separator; `-` unless set.
    #[must_use]
    pub fn with_separator(mut self, separator: SlugSeparator) -> Self {
        self.separator = separator;
        self
    }

    /// Sets the most characters a slug may have, suffix included;
    /// [`DEFAULT_MAX_LEN`](Self::DEFAULT_MAX_LEN) unless set. A limit outside of
    /// [`MIN_MAX_LEN`](Self::MIN_MAX_LEN) to [`Slug::MAX_LEN`] is moved to the nearer of the two.
    #[must_use]
    pub fn with_max_len(mut self, max_len: usize) -> Self {
        self.max_len = max_len.clamp(Self::MIN_MAX_LEN, Slug::MAX_LEN);
        self
    }

    /// Adds reserved names to those in every policy (`admin`, `api`, `www` and their like).
    ///
    /// Names are compared as slugs: `"Sign In"` reserves `sign-in` and `sign_in`.
    #[must_use]
    pub fn with_reserved<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.reserved
            .extend(names.into_iter().map(|name| reserved_form(name.as_ref())));
        self
    }

    /// Whether no customer may have this slug.
    #[must_use]
    pub fn is_reserved(&self, slug: &str) -> bool {
        self.reserved.contains(&slug.replace('_', "-"))
    }

    /// The slug of any text. It is a [`candidate`](Self::candidate) of round 0 whose seed is 0.
    ///
    /// A slug made by this policy is its own slug.
    #[must_use]
    pub fn slug(&self, text: &str) -> Slug {
        self.candidate(text, 0, 0)
    }

    /// The slug to try in a round.
    ///
    /// Round 0 gives the plain slug, unless that is reserved. Later rounds, and reserved names at
    /// once, carry the suffix of [`SlugSuffix::derive`]: the same arguments give the same slug
    /// after a restart, and 40 bits of the seed's hash keep customers of one name apart.
    #[must_use]
    pub fn candidate(&self, name: &str, seed: u128, round: u32) -> Slug {
        let plain = self.plain(name);
        if round == 0 && !self.is_reserved(plain.as_str()) {
            return plain;
        }
        // Ends: no host has reserved every suffix of a name.
        let mut again = 0;
        loop {
            let suffix = SlugSuffix::derive_again(seed, round, again);
            let slug = self.suffixed(&plain, &suffix);
            if !self.is_reserved(slug.as_str()) {
                return slug;
            }
            again += 1;
        }
    }

    /// Puts a suffix behind a slug, which is cut so that the whole keeps to the limit.
    #[must_use]
    pub fn suffixed(&self, slug: &Slug, suffix: &SlugSuffix) -> Slug {
        let separator = self.separator.as_char();
        let room = self.max_len - SlugSuffix::LEN - 1;
        // The slug can come from another policy: it is spelled again with this one's separator.
        let head = spell(slug.as_str(), separator, room);
        Slug::from_policy(format!("{head}{separator}{}", suffix.as_str()))
    }

    /// Checks a slug that somebody chose: a valid one, within this policy's length, with its
    /// separator, and not reserved.
    ///
    /// # Errors
    ///
    /// As [`Slug::new`], and `slug_reserved`.
    ///
    /// ```
    /// use onramp::fields::SlugPolicy;
    ///
    /// let policy = SlugPolicy::default().with_reserved(["Acme"]);
    /// assert!(policy.accept("acme-inc").is_ok());
    /// assert_eq!(policy.accept("acme").unwrap_err().code(), "slug_reserved");
    /// assert_eq!(policy.accept("acme_inc").unwrap_err().code(), "slug_separator");
    /// ```
    pub fn accept(&self, text: &str) -> Result<Slug, FieldError> {
        let slug = Slug::new(text)?;
        if text.len() > self.max_len {
            return Err(Problem::SlugTooLong { max: self.max_len }.into());
        }
        if text.contains(self.separator.other()) {
            return Err(Problem::SlugSeparator(excerpt(text)).into());
        }
        if self.is_reserved(text) {
            return Err(Problem::SlugReserved(excerpt(text)).into());
        }
        Ok(slug)
    }

    /// Steps 1 to 5.
    fn plain(&self, name: &str) -> Slug {
        let separator = self.separator.as_char();
        let spelled = spell(name, separator, self.max_len);
        Slug::from_policy(if spelled.is_empty() {
            FALLBACK.to_owned()
        } else if spelled.bytes().all(|byte| byte.is_ascii_digit()) {
            spell(&format!("{FALLBACK} {spelled}"), separator, self.max_len)
        } else {
            spelled
        })
    }
}

/// `-`, 40 characters, and the names that every service needs for itself.
impl Default for SlugPolicy {
    fn default() -> Self {
        Self {
            separator: SlugSeparator::Hyphen,
            max_len: Self::DEFAULT_MAX_LEN,
            reserved: RESERVED.iter().copied().map(str::to_owned).collect(),
        }
    }
}

impl SlugSeparator {
    fn as_char(self) -> char {
        match self {
            Self::Hyphen => '-',
            Self::Underscore => '_',
        }
    }

    fn other(self) -> char {
        match self {
            Self::Hyphen => '_',
            Self::Underscore => '-',
        }
    }
}

fn reserved_form(name: &str) -> String {
    spell(name, '-', Slug::MAX_LEN)
}

/// What a name becomes that leaves nothing.
const FALLBACK: &str = "org";

/// Names of pages, hosts and mailboxes that a customer could abuse (see also RFC 2142).
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "apps",
    "assets", "auth", "autoconfig", "autodiscover", "billing", "blog", "cdn", "console", "contact",
    "dashboard", "default", "demo", "dev", "developer", "developers", "dns", "docs", "download",
    "downloads", "email", "example", "files", "ftp", "graphql", "health", "help", "home", "host",
    "hostmaster", "images", "imap", "info", "internal", "invite", "legal", "localhost", "login",
    "logout", "mail", "me", "media", "metrics", "monitoring", "mx", "new", "news", "no-reply",
    "noc", "noreply", "ns", "ns1", "ns2", "null", "oauth", "onboarding", "ops", "payment",
    "payments", "pop", "pop3", "postmaster", "pricing", "privacy", "private", "prod",
    "production", "profile", "proxy", "public", "register", "root", "security", "settings",
    "setup", "sftp", "shop", "sign-in", "sign-out", "sign-up", "signin", "signout", "signup",
    "smtp", "ssh", "ssl", "sso", "staging", "static", "stats", "status", "store", "support",
    "sys", "system", "terms", "test", "tls", "undefined", "upload", "uploads", "user", "users",
    "vpn", "web", "webhook", "webhooks", "webmail", "webmaster", "wpad", "www", "www1", "www2",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> String {
        SlugPolicy::default().slug(text).into()
    }

    #[test]
    fn every_reserved_name_is_a_slug_and_in_order() {
        for name in RESERVED {
            assert_eq!(reserved_form(name), *name);
        }
        assert!(RESERVED.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_reserved_name_gets_a_suffix_at_once() {
        let policy = SlugPolicy::default();
        let suffix = SlugSuffix::derive(7, 0);
        let expected = format!("admin-{}", suffix.as_str());
        assert_eq!(policy.candidate("  ADMIN!", 7, 0).as_str(), expected);
        assert_ne!(slug("www"), "www");
    }

    #[test]
    fn hosts_reserve_names_as_slugs() {
        let policy = SlugPolicy::default()
            .with_separator(SlugSeparator::Underscore)
            .with_reserved(["Big Corp", "org"]);
        assert!(policy.is_reserved("big_corp") && policy.is_reserved("big-corp"));
        assert_eq!(
            policy.accept("big_corp").unwrap_err().code(),
            "slug_reserved"
        );
        assert_eq!(
            policy.accept("sign_in").unwrap_err().code(),
            "slug_reserved"
        );
        assert!(policy.slug("").as_str().starts_with("org_"));
    }

    #[test]
    fn a_reserved_suffix_is_passed_over() {
        let first = SlugPolicy::default().candidate("Acme", 1, 1);
        let policy = SlugPolicy::default().with_reserved([first.as_str()]);
        let second = policy.candidate("Acme", 1, 1);
        assert_ne!(first, second);
        assert_eq!(second.as_str().len(), first.as_str().len());
    }

    #[test]
    fn numbers_and_nothing_get_a_word() {
        assert_eq!(slug("4711"), "org-4711");
        assert_eq!(slug("１２３"), "org-123");
        assert_eq!(slug(&"9".repeat(90)), format!("org-{}", "9".repeat(36)));
        assert_eq!(slug(" ... "), "org");
        assert_eq!(slug("\u{10FFFF}"), "org");
    }

    #[test]
    fn the_limit_includes_the_suffix() {
        let policy = SlugPolicy::default().with_max_len(0);
        let name = "Amalgamated Widgets";
        assert_eq!(policy.slug(name).as_str(), "amalgamated-widg");
        let second = policy.candidate(name, 1, 1);
        assert_eq!(second.as_str().len(), SlugPolicy::MIN_MAX_LEN);
        assert!(second.as_str().starts_with("amalgam-"));
        // The cut falls behind a word: no doubled separator.
        let cut = policy.candidate("abcdef ghi", 1, 1);
        assert!(cut.as_str().starts_with("abcdef-") && !cut.as_str().contains("--"));
        assert_eq!(SlugPolicy::default().with_max_len(999).max_len, 63);
    }

    #[test]
    fn chosen_slugs_are_held_to_the_policy() {
        let policy = SlugPolicy::default();
        let code = |text: &str| policy.accept(text).unwrap_err().code();
        assert_eq!(policy.accept("acme-7").unwrap().as_str(), "acme-7");
        assert_eq!(code("api"), "slug_reserved");
        assert_eq!(code("acme_inc"), "slug_separator");
        assert_eq!(code(&"s".repeat(41)), "slug_too_long");
        assert_eq!(code(""), "slug_empty");
    }

    #[test]
    fn punycode_does_not_come_through() {
        assert_eq!(slug("xn--caf-dma"), "xn-caf-dma");
    }
}
