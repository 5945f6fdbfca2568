//! Sign-up, sign-in by a link in a mail, sign-out.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use onramp::fields::Email;

use crate::accounts::{Mail, Purpose};
use crate::app::Shared;
use crate::reply::{Frame, Refusal, Reply, go, page};
use crate::session::{self, Form, Visitor};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    is_new: bool,
    name: String,
    email: String,
    name_error: Option<String>,
    email_error: Option<String>,
}

impl SignInPage {
    fn new(app: &Shared, visitor: &Visitor, is_new: bool) -> Self {
        let title = if is_new {
            "Create your workspace"
        } else {
            "Sign in"
        };
        Self {
            frame: Frame::new(app, visitor, title),
            is_new,
            name: String::new(),
            email: String::new(),
            name_error: None,
            email_error: None,
        }
    }
}

/// Where everybody comes in: to sign-up, or to the page that is next.
pub(crate) async fn home(State(app): State<Shared>, visitor: Visitor) -> Reply {
    match app.signed_in(&visitor).await {
        Ok(account) => go(app.next_page(&account).await?.path()),
        Err(Refusal::SignIn) => go("/sign-up"),
        Err(other) => Err(other),
    }
}

pub(crate) async fn sign_up(State(app): State<Shared>, visitor: Visitor) -> Reply {
    match visitor.account {
        Some(_) => go("/"),
        None => page(StatusCode::OK, &SignInPage::new(&app, &visitor, true)),
    }
}

pub(crate) async fn sign_in(State(app): State<Shared>, visitor: Visitor) -> Reply {
    match visitor.account {
        Some(_) => go("/"),
        None => page(StatusCode::OK, &SignInPage::new(&app, &visitor, false)),
    }
}

pub(crate) async fn post_sign_up(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    let (name, email) = (form.field("name"), form.field("email"));
    let parsed = Email::new(email);
    let named = !name.is_empty() && name.chars().count() <= 200;
    if let (Ok(email), true) = (&parsed, named) {
        let email = email.as_str().to_lowercase();
        let account = app.sign_up(&email, name).await.map_err(Refusal::Internal)?;
        let sent = app
            .send_link(&account, Purpose::SignIn, &visitor.browser)
            .await;
        sent.map_err(Refusal::Internal)?;
        return go("/check-mail");
    }
    let mut again = SignInPage::new(&app, &visitor, true);
    (again.name, again.email) = (name.to_owned(), email.to_owned());
    again.name_error =
        (!named).then(|| "Your name is empty or too long: give 1 to 200 characters.".to_owned());
    again.email_error = parsed.err().map(|error| format!("Your address: {error}."));
    page(StatusCode::UNPROCESSABLE_ENTITY, &again)
}

pub(crate) async fn post_sign_in(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    let email = form.field("email").to_lowercase();
    app.put_mails_away(&visitor.browser).await?;
    // The answer is the same for an address that nobody has signed up with.
    if let Some(account) = app.account_by_email(&email).await? {
        let sent = app
            .send_link(&account, Purpose::SignIn, &visitor.browser)
            .await;
        sent.map_err(Refusal::Internal)?;
    }
    go("/check-mail")
}

#[derive(Template)]
#[template(path = "check_mail.html")]
struct CheckMailPage {
    frame: Frame,
    mail: Option<Mail>,
}

pub(crate) async fn check_mail(State(app): State<Shared>, visitor: Visitor) -> Reply {
    let mail = app.newest_mail(&visitor.browser).await?;
    let frame = Frame::new(&app, &visitor, "Look into your mailbox");
    page(StatusCode::OK, &CheckMailPage { frame, mail })
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    token: String,
}

/// Programs that look into mails follow links, too: only the button proves that somebody is there.
pub(crate) async fn link(
    State(app): State<Shared>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Reply {
    let query = query.unwrap_or_default();
    let mut query = form_urlencoded::parse(query.as_bytes());
    let token = query.find(|(name, _)| name == "token");
    let token = token.map_or_else(String::new, |(_, token)| token.into_owned());
    let frame = Frame::new(&app, &visitor, "One click more");
    page(StatusCode::OK, &LinkPage { frame, token })
}

pub(crate) async fn post_link(State(app): State<Shared>, visitor: Visitor, form: Form) -> Reply {
    let Some((account, purpose)) = app.follow(form.field("token")).await? else {
        // Whoever is signed in has clicked twice, or went back.
        return match visitor.account {
            Some(_) => go("/"),
            None => Err(Refusal::LinkUsed),
        };
    };
    app.arrive(&account).await?;
    let mut response = match purpose {
        Purpose::SignIn => go("/")?,
        Purpose::Reveal => {
            let visitor = Visitor {
                account: Some(account.id.clone()),
                ..visitor
            };
            super::key::offer_again(&app, &visitor, &account).await?
        }
    };
    session::sign_in(&app, &mut response, &account.id);
    Ok(response)
}

pub(crate) async fn sign_out(_: Form) -> Reply {
    let mut response = go("/sign-in")?;
    session::sign_out(&mut response);
    Ok(response)
}
