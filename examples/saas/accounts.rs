//! Who has signed up, and the links that they are sent.

use std::error::Error;

use onramp::prelude::*;
use onramp::{Clock, InvalidId, SystemClock};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::App;
use crate::keys;
use crate::platform::columns;

/// How long a link may be followed, in seconds.
const LINK: i64 = 30 * 60;

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
}

/// A message that was sent; stands in for a mail server.
pub(crate) struct Mail {
    pub(crate) at: i64,
    pub(crate) email: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) link: Option<String>,
}

columns!(Account { id, email, name });
columns!(Mail {
    at,
    email,
    subject,
    body,
    link
});

impl Mail {
    pub(crate) fn when(&self) -> String {
        let at = chrono::DateTime::from_timestamp(self.at, 0).unwrap_or_default();
        at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
    }
}

/// What following a link proves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignIn,
    /// To be shown a secret once more.
    Reveal,
}

impl Purpose {
    fn token(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Reveal => "reveal",
        }
    }
}

impl Account {
    /// Every customer is a tenant with one subject, so what one does keeps no other waiting.
    pub(crate) fn whom(&self) -> Result<(TenantId, SubjectId), InvalidId> {
        whom(&self.id)
    }
}

pub(crate) fn whom(account: &str) -> Result<(TenantId, SubjectId), InvalidId> {
    Ok((TenantId::new(account)?, SubjectId::new(account)?))
}

pub(crate) fn now() -> i64 {
    SystemClock.now().timestamp()
}

impl App {
    /// The account of an address: with its onboarding in one transaction, if there was none.
    pub(crate) async fn sign_up(
        &self,
        email: &str,
        name: &str,
    ) -> Result<Account, Box<dyn Error + Send + Sync>> {
        let mut transaction = self.platform.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known = sqlx::query_as("SELECT id, email, name FROM accounts WHERE email = $1");
        let known: Option<Account> = known.bind(email).fetch_optional(&mut *transaction).await?;
        if let Some(known) = known {
            return Ok(known);
        }
        let account = Account {
            id: Uuid::now_v7().to_string(),
            email: email.to_owned(),
            name: name.to_owned(),
        };
        let mut joined = self.store.join(&mut transaction);
        let (tenant, subject) = account.whom()?;
        self.onramp
            .enroll_in(&mut joined, &tenant, &subject)
            .await?;
        sqlx::query("INSERT INTO accounts (id, email, name) VALUES ($1, $2, $3)")
            .bind(&account.id)
            .bind(&account.email)
            .bind(&account.name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(account)
    }

    pub(crate) async fn account_by_email(&self, email: &str) -> sqlx::Result<Option<Account>> {
        let query = sqlx::query_as("SELECT id, email, name FROM accounts WHERE email = $1");
        query.bind(email).fetch_optional(&self.platform.pool).await
    }

    pub(crate) async fn account(&self, id: &str) -> sqlx::Result<Option<Account>> {
        let query = sqlx::query_as("SELECT id, email, name FROM accounts WHERE id = $1");
        query.bind(id).fetch_optional(&self.platform.pool).await
    }

    /// The newest accounts.
    pub(crate) async fn accounts(&self) -> sqlx::Result<Vec<Account>> {
        let query = "SELECT id, email, name FROM accounts ORDER BY id DESC LIMIT 50";
        sqlx::query_as(query).fetch_all(&self.platform.pool).await
    }

    /// Sends a link. The browser that asked for it is shown the mail, because there is no mailbox.
    pub(crate) async fn send_link(
        &self,
        account: &Account,
        purpose: Purpose,
        visitor: &str,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let token = keys::token()?;
        sqlx::query("INSERT INTO links (hash, account, purpose, until) VALUES ($1, $2, $3, $4)")
            .bind(hash(&token))
            .bind(&account.id)
            .bind(purpose.token())
            .bind(now() + LINK)
            .execute(&self.platform.pool)
            .await?;
        let (subject, body) = match purpose {
            Purpose::SignIn => (
                "Your sign-in link",
                "Follow this link to confirm your address and sign in. It works once, for half an hour.",
            ),
            Purpose::Reveal => (
                "Is it you who wants to see the API key?",
                "Follow this link to be shown the key once more. If it was not you, ignore this message.",
            ),
        };
        let link = format!("/link?token={token}");
        let mail = (subject, body, Some(link.as_str()));
        self.send(&Uuid::now_v7().to_string(), &account.id, visitor, mail)
            .await?;
        Ok(())
    }

    /// Sends a mail; one that comes again, by its identity, is sent once.
    pub(crate) async fn send(
        &self,
        id: &str,
        account: &str,
        visitor: &str,
        (subject, body, link): (&str, &str, Option<&str>),
    ) -> sqlx::Result<()> {
        let query = "INSERT OR IGNORE INTO mails (id, account, visitor, at, subject, body, link)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let query = sqlx::query(query)
            .bind(id)
            .bind(account)
            .bind(visitor)
            .bind(now());
        let query = query.bind(subject).bind(body).bind(link);
        query.execute(&self.platform.pool).await?;
        Ok(())
    }

    /// What a link proves, and for whom. It proves it once.
    pub(crate) async fn follow(&self, token: &str) -> sqlx::Result<Option<(Account, Purpose)>> {
        let query = "DELETE FROM links WHERE hash = $1 AND until > $2 RETURNING account, purpose";
        let query = sqlx::query_as(query).bind(hash(token)).bind(now());
        let found: Option<(String, String)> = query.fetch_optional(&self.platform.pool).await?;
        let Some((account, purpose)) = found else {
            return Ok(None);
        };
        let purpose = match purpose == Purpose::Reveal.token() {
            true => Purpose::Reveal,
            false => Purpose::SignIn,
        };
        Ok(self
            .account(&account)
            .await?
            .map(|account| (account, purpose)))
    }

    /// A browser that asks for another link is not shown the mails of before.
    pub(crate) async fn put_mails_away(&self, visitor: &str) -> sqlx::Result<()> {
        let query = sqlx::query("UPDATE mails SET visitor = '' WHERE visitor = $1");
        query.bind(visitor).execute(&self.platform.pool).await?;
        Ok(())
    }

    /// The newest mail that this browser has asked for.
    pub(crate) async fn newest_mail(&self, visitor: &str) -> sqlx::Result<Option<Mail>> {
        let query = "SELECT at, email, subject, body, link FROM mails, accounts
                     WHERE account = accounts.id AND visitor = $1 ORDER BY mails.id DESC LIMIT 1";
        let query = sqlx::query_as(query).bind(visitor);
        query.fetch_optional(&self.platform.pool).await
    }

    /// The newest mails of an account, or of all. Links are left out: they are for who asked.
    pub(crate) async fn outbox(&self, account: Option<&str>) -> sqlx::Result<Vec<Mail>> {
        let query = "SELECT at, email, subject, body, NULL AS link FROM mails, accounts
                     WHERE account = accounts.id AND ($1 IS NULL OR account = $1)
                     ORDER BY at DESC, mails.id DESC LIMIT 50";
        let query = sqlx::query_as(query).bind(account);
        query.fetch_all(&self.platform.pool).await
    }
}

fn hash(token: &str) -> String {
    Sha256::digest(token)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
