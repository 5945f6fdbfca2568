//! An e-mail address.

use std::fmt;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

use super::invalid::{FieldError, Problem};
use super::text::text_field;

/// One e-mail address, `local@domain`, within the limits of RFC 5321.
///
/// The domain is put into lower case, since DNS does not tell cases apart; the local part is kept,
/// since only the receiving server knows whether it does. Addresses in other scripts (RFC 6531)
/// are accepted as Unicode NFC and are not converted to `xn--` form.
///
/// **`Debug` shows `Email(j***@example.com)`**, so that a log of debug output does not fill with
/// personal data. `Display`, `as_str` and serde show the whole address.
///
/// Passing this check means that mail can be addressed, not that anybody reads it: only a
/// confirmation message shows that.
///
/// # Errors
///
/// [`new`](Self::new) refuses with the code
///
/// - `email_too_long`: more than [`MAX_LEN`](Self::MAX_LEN) bytes (RFC 5321, 4.5.3.1.3);
/// - `email_invalid`: anything else but a mailbox. That includes forms which RFC 5322 allows and
///   sign-up forms should not: display names, quoted local parts, address literals, hosts without
///   a dot, and all-digit top-level domains.
///
/// ```
/// use onramp::fields::Email;
///
/// let email = Email::new(" Jane.Doe+news@Example.COM ")?;
/// assert_eq!(email.as_str(), "Jane.Doe+news@example.com");
/// assert_eq!(email.domain(), "example.com");
/// assert_eq!(format!("{email:?}"), "Email(J***@example.com)");
/// assert_eq!(Email::new("jane@localhost").unwrap_err().code(), "email_invalid");
/// # Ok::<(), onramp::fields::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// The most bytes an address may have: RFC 5321's path of 256 without its angle brackets.
    pub const MAX_LEN: usize = 254;

    /// Checks an address and puts its domain into lower case. The type's description has the
    /// rules.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of the field `email`.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        const TOO_LONG: Problem = Problem::EmailTooLong {
            max: Email::MAX_LEN,
        };
        let given = text.trim();
        if given.len() > Self::MAX_LEN {
            return Err(TOO_LONG.into());
        }
        let composed: String = given.nfc().collect();
        let (local, domain) = composed.rsplit_once('@').ok_or(Problem::EmailInvalid)?;
        let address = format!("{local}@{}", domain.to_lowercase());
        // Composition and lower case can lengthen a text in rare scripts.
        if address.len() > Self::MAX_LEN {
            return Err(TOO_LONG.into());
        }
        if local.starts_with('"') || ends_in_number(domain) {
            return Err(Problem::EmailInvalid.into());
        }
        EmailAddress::parse_with_options(&address, mailbox_only())
            .map_err(|_| Problem::EmailInvalid)?;
        Ok(Self(address))
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the `@`, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Redacted: the first character and the domain.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first: String = self.0.chars().take(1).collect();
        write!(f, "Email({first}***@{})", self.domain())
    }
}

text_field!(Email);

/// An all-digit last label makes the domain an IP address (RFC 3696, section 2).
fn ends_in_number(domain: &str) -> bool {
    domain
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
}

fn mailbox_only() -> Options {
    Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        match Email::new(text) {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn ordinary_addresses_are_accepted() {
        for text in [
            "a@b.co",
            "first.last+tag@sub.example.co.uk",
            "o'neil_42%x@example.com",
            "postmaster@xn--bcher-kva.example",
            "yūko@例え.example",
        ] {
            assert_eq!(Email::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_not_one_mailbox_is_refused() {
        for text in [
            "",
            "@",
            "jane",
            "jane@",
            "@example.com",
            "jane@@example.com",
            "jane@doe@example.com",
            "jane doe@example.com",
            "jane.@example.com",
            ".jane@example.com",
            "ja..ne@example.com",
            "jane@example",
            "jane@localhost",
            "jane@example..com",
            "jane@-example.com",
            "jane@example.com.",
            "jane@exa mple.com",
            "jane@[192.0.2.1]",
            "jane@192.0.2.1",
            "\"jane doe\"@example.com",
            "Jane <jane@example.com>",
            "<jane@example.com>",
            "jane@example.com\nBcc: x@example.com",
            "jane\0@example.com",
            "jane\u{202e}@example.com",
            "a@example.com, b@example.com",
        ] {
            assert_eq!(code(text), "email_invalid", "{text:?}");
        }
    }

    #[test]
    fn the_limits_are_those_of_rfc_5321() {
        let label = "d".repeat(63);
        let domain = format!("{label}.{label}.{}.com", "d".repeat(57));
        let local = |len| "l".repeat(len);
        assert_eq!(code(&format!("{}@example.com", local(64))), "accepted");
        assert_eq!(code(&format!("{}@example.com", local(65))), "email_invalid");
        let longest = format!("{}@{domain}", local(64));
        assert_eq!(longest.len(), Email::MAX_LEN);
        assert_eq!(code(&longest), "accepted");
        assert_eq!(code(&format!("{}@d{domain}", local(64))), "email_too_long");
        assert_eq!(code(&format!("a@{}.com", "d".repeat(64))), "email_invalid");
    }

    #[test]
    fn only_the_domain_is_put_into_lower_case() {
        assert_eq!(
            Email::new("JANE@EXAMPLE.COM").unwrap().as_str(),
            "JANE@example.com"
        );
    }

    #[test]
    fn neither_debug_nor_errors_show_the_address() {
        let email = Email::new("jane.doe@example.com").unwrap();
        assert_eq!(format!("{email:?}"), "Email(j***@example.com)");
        assert_eq!(email.to_string(), "jane.doe@example.com");
        let error = Email::new("jane.doe@localhost").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("doe"), "{error:?}");
    }
}
