//! Who may listen: the library's own API behind our sessions. The pages' script hears from it that
//! something has changed; whatever changes something goes through forms.

use std::sync::Arc;

use axum::http::Method;
use onramp::http::{Access, Authorizer, Denied, Parts};

use crate::accounts::whom;
use crate::app::App;
use crate::session::Visitor;

pub(crate) struct Listeners(pub(crate) Arc<App>);

impl Authorizer for Listeners {
    async fn authorize(&self, request: &Parts) -> Result<Access, Denied> {
        let visitor = Visitor::of(&self.0.keys, &request.headers);
        let account = visitor.and_then(|visitor| visitor.account);
        let account = account.ok_or(Denied::Unauthenticated)?;
        if request.method != Method::GET {
            return Err(Denied::Forbidden);
        }
        let (tenant, subject) = whom(&account).map_err(Denied::unknown)?;
        Ok(Access::of(tenant, subject))
    }
}
