//! The router, step by step: nothing is routed before somebody is asked who is asking.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use serde_json::Value;

use crate::flow::{Answer, Flow};
use crate::http::authorize::{Access, Asks, Authorizer, Operator, OperatorAuthorizer};
use crate::http::catalogue::{Catalogue, Messages};
use crate::http::envelope::Envelope;
use crate::http::live::Live;
use crate::http::secrets::Secrets;
use crate::http::{openapi, routes};
use crate::onramp::Onramp;

/// The HTTP face of a flow. Becomes an axum router once it has an [`Authorizer`], and not before.
///
/// ```
/// use onramp::http::{Access, Api, Authorizer, Denied, Parts};
/// use onramp::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # struct Workspace;
/// # impl Flow for Workspace { const NAME: &'static str = "workspace"; const VERSION: u32 = 1; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Company { name: String }
/// # impl Step for Company { const NAME: &'static str = "company"; }
/// # impl Answer<Workspace> for Company {}
/// # struct Sessions;
/// # impl Authorizer for Sessions {
/// #     async fn authorize(&self, _: &Parts) -> Result<Access, Denied> { Err(Denied::Unauthenticated) }
/// # }
/// let flow = Workspace::steps().ask::<Company>().build()?;
/// let onramp = Onramp::new(MemoryStore::new(), flow);
///
/// let api = Api::new(onramp).authorize(Sessions).into_router();
/// let app: axum::Router = axum::Router::new().nest("/api", api);
/// # Ok::<(), onramp::flow::InvalidFlow>(())
/// ```
#[must_use = "it serves nothing until it is a router"]
pub struct Api<F, A = NoAuthorizer> {
    onramp: Onramp<F>,
    authorizer: A,
    operators: Option<Arc<dyn Asks<Operator>>>,
    messages: Arc<dyn Messages>,
    live: Live,
    pub(super) secrets: Secrets,
    schemas: BTreeMap<&'static str, Value>,
    replaced: BTreeMap<String, String>,
}

/// Nobody was told how to find out who is asking: there is no router.
///
/// ```
/// # use onramp::http::{Api, NoAuthorizer};
/// # use onramp::prelude::*;
/// fn begun<F: Flow>(onramp: Onramp<F>) -> Api<F, NoAuthorizer> {
///     Api::new(onramp)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct NoAuthorizer;

/// Who is asking is found out.
///
/// ```
/// # use onramp::http::{Api, Authorized};
/// # use onramp::prelude::*;
/// fn serve<F: Flow>(api: Api<F, Authorized>) -> axum::Router {
///     api.into_router()
/// }
/// ```
pub struct Authorized(Arc<dyn Asks<Access>>);

#[expect(unnameable_types, reason = "no other type can stand for an authorizer")]
mod sealed {
    use super::{Access, Arc, Asks};

    pub trait Sealed {
        #[expect(private_interfaces, reason = "called in this room alone")]
        fn door(self) -> Arc<dyn Asks<Access>>;
    }
}

/// That it is found out who is asking.
///
/// ```
/// # use onramp::http::{Api, Authorizes};
/// # use onramp::prelude::*;
/// fn serve<F: Flow, A: Authorizes>(api: Api<F, A>) -> axum::Router {
///     api.into_router()
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "this API has no authorizer, so it cannot be a router",
    label = "nobody is asked whose onboarding a request is about",
    note = "call `.authorize(..)` first, with the host's own `onramp::http::Authorizer`; none is shipped"
)]
pub trait Authorizes: sealed::Sealed {}

impl sealed::Sealed for Authorized {
    #[expect(private_interfaces, reason = "called in this room alone")]
    fn door(self) -> Arc<dyn Asks<Access>> {
        self.0
    }
}

impl Authorizes for Authorized {}

/// The HTTP face of a flow: [`Api::new`].
///
/// ```
/// # use onramp::http::{self, Authorizer};
/// # use onramp::prelude::*;
/// fn serve<F: Flow>(onramp: Onramp<F>, sessions: impl Authorizer) -> axum::Router {
///     http::router(onramp).authorize(sessions).into_router()
/// }
/// ```
pub fn router<F: Flow>(onramp: Onramp<F>) -> Api<F, NoAuthorizer> {
    Api::new(onramp)
}

impl<F: Flow> Api<F, NoAuthorizer> {
    /// Of this front door.
    pub fn new(onramp: Onramp<F>) -> Self {
        Self {
            onramp,
            authorizer: NoAuthorizer,
            operators: None,
            messages: Arc::new(Catalogue),
            live: Live::default(),
            secrets: Secrets::default(),
            schemas: BTreeMap::new(),
            replaced: BTreeMap::new(),
        }
    }

    /// Who tells whose onboarding a request is about.
    pub fn authorize(self, authorizer: impl Authorizer) -> Api<F, Authorized> {
        Api {
            authorizer: Authorized(Arc::new(authorizer)),
            onramp: self.onramp,
            operators: self.operators,
            messages: self.messages,
            live: self.live,
            secrets: self.secrets,
            schemas: self.schemas,
            replaced: self.replaced,
        }
    }
}

impl<F: Flow, A> Api<F, A> {
    /// Adds the routes for operators, behind an authorizer of their own.
    pub fn operators(mut self, authorizer: impl OperatorAuthorizer) -> Self {
        self.operators = Some(Arc::new(authorizer));
        self
    }

    /// Other words for what goes wrong.
    pub fn messages(mut self, messages: impl Messages) -> Self {
        self.messages = Arc::new(messages);
        self
    }

    /// How live progress is told.
    pub fn live(mut self, live: Live) -> Self {
        self.live = live;
        self
    }

    /// The JSON Schema of an answer, for the OpenAPI document; without it any JSON is described. It is
    /// not what answers are checked by: their types are.
    pub fn schema<B: Answer<F>>(mut self, schema: Value) -> Self {
        self.schemas.insert(B::STORED_AS, schema);
        self
    }

    /// The step that takes the place of one that is [retired](crate::flow::Steps::retired): told to
    /// whoever still asks for the old one.
    pub fn replaced<B: Answer<F>>(mut self, retired: &'static str) -> Self {
        self.replaced
            .insert(retired.to_owned(), B::STORED_AS.to_owned());
        self
    }

    /// The OpenAPI 3.1 document, as it is served at `/openapi.json`.
    ///
    /// ```
    /// # use onramp::http::Api;
    /// # use onramp::prelude::*;
    /// fn write<F: Flow>(onramp: Onramp<F>) -> std::io::Result<()> {
    ///     let document = Api::new(onramp).openapi();
    ///     std::fs::write("openapi.json", format!("{document:#}\n"))
    /// }
    /// ```
    #[must_use]
    pub fn openapi(&self) -> Value {
        let plan = self.onramp.flow().plan();
        let secrets: Vec<_> = self.secrets.names().collect();
        openapi::document(plan, &self.schemas, &secrets, self.operators.is_some())
    }

    /// The router, to be nested in the host's own: with a prefix, because what it does not know it
    /// answers itself.
    pub fn into_router(self) -> Router
    where
        A: Authorizes,
    {
        let document = self.openapi().to_string();
        let envelope = Envelope {
            messages: self.messages,
        };
        let shared = Shared {
            onramp: self.onramp,
            authorizer: self.authorizer.door(),
            operators: self.operators,
            live: self.live,
            secrets: self.secrets,
            replaced: self.replaced,
        };
        routes::router(Arc::new(shared), envelope, document)
    }
}

impl<F, A> std::fmt::Debug for Api<F, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("onramp", &self.onramp)
            .field("operators", &self.operators.is_some())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Authorized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorized")
    }
}

/// What every request is served with.
pub(super) struct Shared<F> {
    pub(super) onramp: Onramp<F>,
    pub(super) authorizer: Arc<dyn Asks<Access>>,
    pub(super) operators: Option<Arc<dyn Asks<Operator>>>,
    pub(super) live: Live,
    pub(super) secrets: Secrets,
    pub(super) replaced: BTreeMap<String, String>,
}
