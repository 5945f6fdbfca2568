//! Validated field types: what people type when they sign up, checked once and kept canonical.
//!
//! Each type is a string that has passed its check. There is one way in (`new`, which [`FromStr`],
//! [`TryFrom<String>`] and serde's `Deserialize` all go through) and one way out (`as_str`, which
//! `Display` and `Serialize` show). Text read back from a database or from JSON is checked again,
//! so a value of these types is never unchecked.
//!
//! | type | holds | standard | canonical form | refused |
//! |---|---|---|---|---|
//! | [`CompanyName`] | a name in any script | Unicode NFC (UAX #15) | composed, trimmed, single spaces | controls, bidi overrides, nothing visible |
//! | [`Slug`] | a name for URLs and hosts | DNS label (RFC 1035) | `[a-z0-9]`, one kind of separator | digits only, `xn--`, doubled separators |
//! | [`Currency`] | money of a country | ISO 4217 | upper case | funds, metals, `XXX`, `XTS` |
//! | [`TimeZone`] | a zone or an alias of one | IANA tz database | the spelling given | names not in the table |
//! | [`Region`] | where data is kept | none: the host's own list | lower case | anything but a token |
//! | [`Locale`] | a language, and where it is spoken | BCP 47 (RFC 5646, UTS #35) | case and order | no language, POSIX names |
//! | [`Email`] | one address | RFC 5321, RFC 5322 | domain in lower case | display names, quotes, bare hosts |
//! | [`Phone`] | one number | ITU-T E.164 | `+` and digits | numbers without a country code |
//!
//! **None of these types has a default.** A currency nobody gave is not "USD", a time zone nobody
//! gave is not "UTC": an unset answer stays unset until somebody answers it.
//!
//! [`SlugPolicy`] makes a slug out of any text whatsoever; the other types only check.
//! All of them fail with the one [`FieldError`], which has a stable code for programs and a
//! sentence for people.
//!
//! ```
//! use onramp::fields::{CompanyName, Currency, SlugPolicy, TimeZone};
//!
//! let name: CompanyName = "  Café   Zürich ".parse()?;
//! assert_eq!(name.as_str(), "Café Zürich");
//! assert_eq!(SlugPolicy::default().slug(name.as_str()).as_str(), "cafe-zurich");
//!
//! let currency: Currency = "inr".parse()?;
//! let zone: TimeZone = "Asia/Kolkata".parse()?;
//! assert_eq!((currency.as_str(), zone.as_str()), ("INR", "Asia/Kolkata"));
//!
//! let refused = "ZZZ".parse::<Currency>().unwrap_err();
//! assert_eq!(refused.code(), "currency_unknown");
//! # Ok::<(), onramp::fields::FieldError>(())
//! ```
//!
//! [`FromStr`]: std::str::FromStr

mod company_name;
mod currency;
mod email;
mod invalid;
mod invisible;
mod locale;
mod phone;
mod region;
mod slug;
mod slug_policy;
mod text;
mod time_zone;
mod transliterate;

pub use company_name::CompanyName;
pub use currency::Currency;
pub use email::Email;
pub use invalid::FieldError;
pub use locale::Locale;
pub use phone::Phone;
pub use region::Region;
pub use slug::{Slug, SlugSuffix};
pub use slug_policy::{SlugPolicy, SlugSeparator};
pub use time_zone::TimeZone;
