//! A secret shown to its subject: a token is offered, and shows it once.

use axum::http::StatusCode;
use axum::response::Response;
use base64ct::{Base64, Encoding as _};

use crate::flow::{Flow, Invalid, Unread, read_json};
use crate::http::authorize::Access;
use crate::http::call::Call;
use crate::http::catalogue::Code;
use crate::http::dto::{Encoding, Offered, Revealed, Token};
use crate::http::problem::Problem;
use crate::http::reply;
use crate::id::{Actor, OnboardingId, SecretName};
use crate::lifecycle::Rejected;
use crate::vault::{Reauthenticated, RevealToken, Secret, Vault, VaultError};

/// Gives a token; who was given one before needs a proof.
///
/// Takes no `Idempotency-Key`: an answer that could be given again would hold the token.
pub(super) async fn offer<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let (id, name) = call.secret().await?;
    let tenant = &call.who.tenant;
    let vault = call.vault()?.clone().acting_for(Actor::Subject);
    let token = match vault.offer(tenant, id, &name).await {
        Err(VaultError::Rejected(Rejected::ProofNeeded)) => {
            let proof = call.proof(id).await?;
            vault.offer_again(tenant, id, &name, proof).await?
        }
        first => first?,
    };
    let token = token.expose();
    reply::json(StatusCode::OK, &Offered { token })
}

pub(super) async fn reveal<F: Flow>(mut call: Call<F, Access>) -> Result<Response, Problem> {
    let (id, name) = call.secret().await?;
    let body = Secret::from(call.json().await?);
    let token = token(body.expose_text().unwrap_or_default())?;
    let vault = call.vault()?;
    let secret = vault.reveal(&call.who.tenant, id, &name, &token).await?;
    // The token is used up by now: whatever the bytes are, they go out.
    let (encoding, encoded);
    let secret = match secret.expose_text() {
        Some(text) => {
            encoding = Encoding::Text;
            text
        }
        None => {
            encoding = Encoding::Base64;
            encoded = Secret::from(Base64::encode_string(secret.expose()));
            encoded.expose_text().unwrap_or_default()
        }
    };
    reply::json(StatusCode::OK, &Revealed { encoding, secret })
}

/// What is wrong is not quoted: it may be a token nearly.
fn token(body: &str) -> Result<RevealToken, Problem> {
    let invalid = |detail: String| Problem::invalid(&Invalid::field("/token", detail));
    let Token { token } = read_json(body).map_err(|unread| match unread {
        Unread::Invalid(_) => {
            invalid("send the token that was offered, and nothing else beside it".to_owned())
        }
        unread => unread.into(),
    })?;
    let token = Secret::from(token);
    let token = RevealToken::parse(token.expose_text().unwrap_or_default());
    token.map_err(|error| invalid(error.to_string()))
}

impl<F: Flow> Call<F, Access> {
    /// The secret that is asked for. Whatever it is that is not there, it is told the same.
    async fn secret(&mut self) -> Result<(OnboardingId, SecretName), Problem> {
        let place = self.place().await?;
        let state = self.api.find(&self.key()).await?.state;
        let mut names = self.api.secrets.names();
        let name = names.find(|name| name.as_str() == place && state.secret(name).is_some());
        let name = name.ok_or(Code::NotFound)?.clone();
        // The journal says that its subject has seen it: nobody does who only acts for them.
        if self.who.actor != Actor::Subject {
            return Err(Code::NotYours.into());
        }
        Ok((state.id(), name))
    }

    fn vault(&self) -> Result<&Vault, Problem> {
        let vault = self.api.secrets.vault.as_ref();
        vault.ok_or_else(|| Code::NotFound.into())
    }

    async fn proof(&self, id: OnboardingId) -> Result<Reauthenticated, Problem> {
        let Some(proofs) = &self.api.secrets.proofs else {
            return Err(Code::ProofNeeded.into());
        };
        let proof = proofs.proof(&self.parts, id).await?;
        proof.ok_or_else(|| Code::ProofNeeded.into())
    }
}

/// Logs tell wrong tokens apart; whoever sent one is told the same.
impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        let code = match error {
            VaultError::Absent => return Code::NotFound.into(),
            VaultError::Rejected(no) => return no.into(),
            VaultError::Store(error) => return error.into(),
            VaultError::UnknownToken | VaultError::WrongToken { .. } => Code::ProofNeeded,
            VaultError::Seal(_) if error.is_retryable() => Code::Unavailable,
            VaultError::Seal(_) | VaultError::Tampered { .. } | VaultError::NotApiKey(_) => {
                Code::Internal
            }
        };
        Self::new(code).because(error)
    }
}
