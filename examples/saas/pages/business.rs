//! The business form: filled in with what is known, kept when it is left half done, checked field by field.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use onramp::fields::{CompanyName, Currency, FieldError, Region, TimeZone};
use onramp::prelude::*;

use crate::accounts::Account;
use crate::app::{App, Shared};
use crate::door::Page;
use crate::journey::{Answered, seen};
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{Form, Visitor};
use crate::workspace::{BusinessInfo, REGIONS};

/// Names of the fields, in the order of the form.
const FIELDS: [&str; 5] = ["company", "contact", "currency", "time_zone", "region"];

/// A field as it is shown.
#[derive(Default)]
struct Shown {
    value: String,
    /// Whether nobody but we have filled it in.
    is_prefilled: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "business.html")]
struct BusinessPage {
    frame: Frame,
    seen: String,
    note: Option<&'static str>,
    has_errors: bool,
    company: Shown,
    contact: Shown,
    currency: Shown,
    time_zone: Shown,
    region: Shown,
}

impl BusinessPage {
    fn regions(&self) -> [(&'static str, &'static str); 3] {
        REGIONS
    }

    fn fields(&self) -> [(&'static str, &Shown); 5] {
        [
            ("company", &self.company),
            ("contact", &self.contact),
            ("currency", &self.currency),
            ("time_zone", &self.time_zone),
            ("region", &self.region),
        ]
    }

    fn of(app: &App, visitor: &Visitor, seen: String, mut show: impl FnMut(&str) -> Shown) -> Self {
        let [company, contact, currency, time_zone, region] = FIELDS.map(&mut show);
        let all = [&company, &contact, &currency, &time_zone, &region];
        Self {
            frame: Frame::new(app, visitor, "About your business").at(Page::Business),
            seen,
            note: None,
            has_errors: all.iter().any(|shown| shown.error.is_some()),
            company,
            contact,
            currency,
            time_zone,
            region,
        }
    }
}

pub(crate) async fn show(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let account = app.enter(&visitor, Page::Business).await?;
    page(StatusCode::OK, &stored(&app, &visitor, &account).await?)
}

/// The form as it is stored: the answer, or what is filled in so far.
async fn stored(app: &App, visitor: &Visitor, account: &Account) -> Result<BusinessPage, Refusal> {
    let Loaded::InProgress(running) = app.open(account).await? else {
        return Err(Refusal::Elsewhere("/"));
    };
    let (tenant, id) = (running.tenant().clone(), running.id());
    let seen = seen::<BusinessInfo, _>(&running);
    let draft = match app.onramp.fact::<BusinessInfo>(&tenant, id).await? {
        Some(info) => onramp::flow::Draft::from_answer(&info)?,
        // Fills in and completes nothing; what the customer has changed stays.
        None => match app.onramp.prefill::<BusinessInfo, _>(running).await {
            Ok(form) => form.draft,
            // Another tab was quicker: it has saved the same.
            Err(_) => app.onramp.draft(&tenant, id).await?.unwrap_or_default(),
        },
    };
    Ok(BusinessPage::of(app, visitor, seen, |name| {
        let field = draft.field(name);
        let value = field.and_then(|field| field.value().as_str());
        Shown {
            value: value.unwrap_or_default().to_owned(),
            is_prefilled: field.is_some_and(|field| field.source().is_some()),
            error: None,
        }
    }))
}

pub(crate) async fn post(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    let account = app.enter(&visitor, Page::Business).await?;
    let seen = form.field("seen").to_owned();
    let is_for_later = form.field("action") == "later";
    let errors = match read(&form) {
        Ok(info) if !is_for_later => match app.answer(&account, &seen, info).await? {
            Answered::Taken => return go("/plan"),
            Answered::TooLate => return go("/"),
            Answered::Overtaken => {
                let mut page_now = stored(&app, &visitor, &account).await?;
                page_now.note = Some(
                    "This was answered in another tab since you opened it. Here is what is kept; change it if it is wrong.",
                );
                return page(StatusCode::CONFLICT, &page_now);
            }
            Answered::Invalid(invalid) => {
                let named = invalid.fields().map(|(pointer, why)| {
                    (pointer.trim_start_matches('/').to_owned(), sentence(why))
                });
                named.collect()
            }
        },
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    // What was typed is kept, right or wrong: for another day, another device.
    save(&app, &account, &form).await?;
    if is_for_later {
        let mut kept = stored(&app, &visitor, &account).await?;
        kept.note = Some("Kept. Come back whenever you like, from wherever you like.");
        return page(StatusCode::OK, &kept);
    }
    let again = BusinessPage::of(&app, &visitor, seen, |name| Shown {
        value: form.field(name).to_owned(),
        is_prefilled: false,
        error: errors
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, why)| why.clone()),
    });
    page(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

/// The answer, or what is wrong with each field.
fn read(form: &Form) -> Result<BusinessInfo, Errors> {
    let mut errors = Errors::new();
    let company = told(&mut errors, form, "company", CompanyName::new);
    let contact = form.field("contact").to_owned();
    if contact.is_empty() {
        errors.push(("contact".to_owned(), unset("contact").to_owned()));
    }
    let currency = told(&mut errors, form, "currency", Currency::new);
    let time_zone = told(&mut errors, form, "time_zone", TimeZone::new);
    let region = told(&mut errors, form, "region", Region::new);
    match (company, currency, time_zone, region) {
        (Some(company), Some(currency), Some(time_zone), Some(region)) if errors.is_empty() => {
            Ok(BusinessInfo {
                company,
                contact,
                currency,
                time_zone,
                region,
            })
        }
        _ => Err(errors),
    }
}

/// Field and what to do about it, as a sentence.
type Errors = Vec<(String, String)>;

fn told<T>(
    errors: &mut Errors,
    form: &Form,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, FieldError>,
) -> Option<T> {
    let problem = match (form.field(name), read(form.field(name))) {
        ("", _) => unset(name).to_owned(),
        (_, Ok(value)) => return Some(value),
        (_, Err(error)) => sentence(&error.to_string()),
    };
    errors.push((name.to_owned(), problem));
    None
}

fn unset(name: &str) -> &'static str {
    match name {
        "company" => "Give the name of your company.",
        "contact" => "Give the name of somebody whom we can ask.",
        "currency" => "Choose a currency, such as EUR.",
        "time_zone" => "Choose a time zone, such as Europe/Berlin.",
        _ => "Choose where your data is to be kept.",
    }
}

/// The library's texts are fragments.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Saves what is filled in, unless it was answered meanwhile.
async fn save(app: &App, account: &Account, form: &Form) -> Result<(), Refusal> {
    for _ in 0..4 {
        let Loaded::InProgress(running) = app.open(account).await? else {
            return Ok(());
        };
        if running.has::<BusinessInfo>() {
            return Ok(());
        }
        let mut typed = onramp::flow::Draft::<BusinessInfo>::new();
        for name in FIELDS {
            typed = typed.with(name, form.field(name))?;
        }
        let saved = app.onramp.draft(running.tenant(), running.id()).await?;
        let draft = saved.unwrap_or_default().edited_by(typed);
        match app.onramp.commit(running.draft(&draft)).await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict(_)) => {}
            Err(CommitError::NotApplied(not)) => return Err(not.because.into()),
            Err(CommitError::Unknown(unknown)) => return Err(unknown.cause.into()),
        }
    }
    Ok(())
}
