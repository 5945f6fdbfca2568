//! What is known from the sign-up, to fill the business form in with.

use onramp::Key;
use onramp::flow::{Draft, Prefill, PrefillError};

use crate::platform::Platform;
use crate::workspace::{BusinessInfo, Workspace};

/// Whose domain says nothing of a company.
const PUBLIC: [&str; 6] = [
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
];

pub(crate) struct SignUpForm(pub(crate) Platform);

impl Prefill<Workspace> for SignUpForm {
    type Answer = BusinessInfo;
    const SOURCE: &'static str = "sign_up";

    async fn known(&self, whom: &Key) -> Result<Draft<BusinessInfo>, PrefillError> {
        let query = sqlx::query_as("SELECT name, email FROM accounts WHERE id = $1");
        let query = query.bind(whom.tenant.as_str());
        let found: Option<(String, String)> = query
            .fetch_optional(&self.0.pool)
            .await
            .map_err(PrefillError::new)?;
        let mut draft = Draft::new();
        let Some((name, email)) = found else {
            return Ok(draft);
        };
        draft = draft.with("contact", name).map_err(PrefillError::new)?;
        if let Some(company) = company_of(&email) {
            draft = draft.with("company", company).map_err(PrefillError::new)?;
        }
        Ok(draft)
    }
}

/// `ann@blue-heron.example` is of `Blue Heron`, probably: the customer is asked.
fn company_of(email: &str) -> Option<String> {
    let (_, domain) = email.rsplit_once('@')?;
    if PUBLIC.contains(&domain) {
        return None;
    }
    let words = domain.split('.').next()?.split('-');
    let words = words.filter_map(|word| {
        let mut letters = word.chars();
        let first = letters.next()?.to_uppercase();
        Some(first.chain(letters).collect::<String>())
    });
    Some(words.collect::<Vec<_>>().join(" "))
}
