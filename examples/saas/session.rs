//! Who is asking: two signed cookies that name somebody, and nothing else. Where they are on their way
//! is in the store.

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;

use crate::accounts::now;
use crate::app::Shared;
use crate::keys::{self, Keys};
use crate::reply::Refusal;

/// How long a sign-in lasts, in seconds.
const SESSION: i64 = 7 * 24 * 60 * 60;

const VISITOR: &str = "saas_visitor";
const ACCOUNT: &str = "saas_session";
const OPERATOR: &str = "saas_operator";

/// A browser, and who is signed in with it.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The browser, whoever is signed in: forms are tied to it.
    pub(crate) browser: String,
    pub(crate) account: Option<String>,
    pub(crate) is_operator: bool,
}

impl Visitor {
    pub(crate) fn of(keys: &Keys, headers: &HeaderMap) -> Option<Self> {
        let browser = cookie(headers, VISITOR).filter(|browser| browser.len() == 43)?;
        Some(Self {
            browser: browser.to_owned(),
            account: named(keys, headers, ACCOUNT),
            is_operator: named(keys, headers, OPERATOR).is_some(),
        })
    }

    /// What every form carries: made for this browser and whoever is signed in with it.
    pub(crate) fn form_token(&self, keys: &Keys) -> String {
        keys.sign("form", &self.form())
    }

    fn form(&self) -> [&str; 2] {
        [&self.browser, self.account.as_deref().unwrap_or_default()]
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Refusal::internal("a route without visitors"))
    }
}

/// Every request has a visitor: a browser that has no name yet gets one.
pub(crate) async fn recognise(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let known = Visitor::of(&app.keys, request.headers());
    let is_new = known.is_none();
    let visitor = match known {
        Some(visitor) => visitor,
        None => match keys::token() {
            Ok(browser) => Visitor {
                browser,
                account: None,
                is_operator: false,
            },
            Err(error) => return Refusal::from(error).into_response(),
        },
    };
    let browser = visitor.browser.clone();
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    if is_new {
        set(response.headers_mut(), VISITOR, &browser, SESSION);
    }
    response
}

/// Signs somebody in: the cookie says who, and until when.
pub(crate) fn sign_in(app: &Shared, response: &mut Response, account: &str) {
    remember(&app.keys, response, ACCOUNT, account);
}

pub(crate) fn sign_in_operator(app: &Shared, response: &mut Response) {
    remember(&app.keys, response, OPERATOR, "operator");
}

pub(crate) fn sign_out(response: &mut Response) {
    set(response.headers_mut(), ACCOUNT, "", 0);
    set(response.headers_mut(), OPERATOR, "", 0);
}

fn remember(keys: &Keys, response: &mut Response, cookie: &str, who: &str) {
    let until = (now() + SESSION).to_string();
    let signature = keys.sign(cookie, &[who, &until]);
    let value = format!("{who}.{until}.{signature}");
    set(response.headers_mut(), cookie, &value, SESSION);
}

/// `Lax`: a link in a mail still finds its reader signed in, a foreign form does not. A service behind
/// TLS adds `Secure`.
fn set(headers: &mut HeaderMap, name: &str, value: &str, seconds: i64) {
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}

fn named(keys: &Keys, headers: &HeaderMap, name: &str) -> Option<String> {
    let mut parts = cookie(headers, name)?.split('.');
    let (who, until, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let good = keys.is_signed(name, &[who, until], signature);
    (good && until.parse::<i64>().ok()? > now()).then(|| who.to_owned())
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// A form that was posted: no handler gets one whose token is not of this browser and this sign-in.
pub(crate) struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    /// A field, without the white space around it; empty when it was not sent.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.trim())
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Refusal> {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let visitor = visitor.ok_or_else(|| Refusal::internal("a form without visitors"))?;
        let body = axum::body::Bytes::from_request(request, app).await;
        let body = body.map_err(|_| Refusal::Stale)?;
        let fields = form_urlencoded::parse(&body).into_owned().collect();
        let form = Self { fields };
        let genuine = app
            .keys
            .is_signed("form", &visitor.form(), form.field("form_token"));
        genuine.then_some(form).ok_or(Refusal::Stale)
    }
}
