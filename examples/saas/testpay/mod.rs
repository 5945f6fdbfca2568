//! A payment provider that is no real one: its page, its books, its webhooks. The service knows it as one
//! knows a provider: it opens checkouts, and believes what comes signed.

mod courier;
pub(crate) mod pages;

use uuid::Uuid;

use crate::accounts::now;
use crate::platform::{Platform, columns};
use crate::workspace::Plan;

pub(crate) use courier::{Delivery, deliver, deliveries};

/// How late a late message is, in seconds.
const LATE: i64 = 4;

pub(crate) struct Checkout {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) plan: String,
    pub(crate) amount: String,
    /// `open`, `declined` or `paid`.
    pub(crate) state: String,
}

columns!(Checkout {
    id,
    customer,
    plan,
    amount,
    state
});

impl Checkout {
    pub(crate) fn is_paid(&self) -> bool {
        self.state == "paid"
    }

    pub(crate) fn is_declined(&self) -> bool {
        self.state == "declined"
    }
}

/// The checkout of a customer for a plan; there is one at most. Who has paid one is given that one, whatever
/// the plan.
pub(crate) async fn open(
    platform: &Platform,
    customer: &str,
    plan: Plan,
    amount: &str,
) -> sqlx::Result<Checkout> {
    if let Some(paid) = checkout_of(platform, customer, plan)
        .await?
        .filter(Checkout::is_paid)
    {
        return Ok(paid);
    }
    let query = "INSERT INTO checkouts (id, customer, plan, amount, state)
                 VALUES ($1, $2, $3, $4, 'open')
                 ON CONFLICT (customer, plan) DO UPDATE SET
                     amount = CASE state WHEN 'paid' THEN amount ELSE excluded.amount END
                 RETURNING id, customer, plan, amount, state";
    let id = Uuid::new_v4().simple().to_string();
    let query = sqlx::query_as(query).bind(id).bind(customer);
    let query = query.bind(plan.token()).bind(amount);
    query.fetch_one(&platform.pool).await
}

/// The one that was paid; else that for the plan, if there is one.
pub(crate) async fn checkout_of(
    platform: &Platform,
    customer: &str,
    plan: Plan,
) -> sqlx::Result<Option<Checkout>> {
    let query = "SELECT id, customer, plan, amount, state FROM checkouts
                 WHERE customer = $1 AND (plan = $2 OR state = 'paid')
                 ORDER BY state = 'paid' DESC LIMIT 1";
    let query = sqlx::query_as(query).bind(customer).bind(plan.token());
    query.fetch_optional(&platform.pool).await
}

async fn checkout(platform: &Platform, id: &str) -> sqlx::Result<Option<Checkout>> {
    let query = "SELECT id, customer, plan, amount, state FROM checkouts WHERE id = $1";
    let query = sqlx::query_as(query).bind(id);
    query.fetch_optional(&platform.pool).await
}

/// How the service hears of it. Providers do all of this.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    AtOnce,
    Late,
    Twice,
    OutOfOrder,
    AfterAForgery,
}

impl Manner {
    /// Token and words, in the order in which they are shown.
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::AtOnce, "at_once", "at once"),
        (Self::Late, "late", "some seconds late"),
        (
            Self::Twice,
            "twice",
            "twice, and once more under another name",
        ),
        (
            Self::OutOfOrder,
            "out_of_order",
            "in the wrong order: captured, then authorised",
        ),
        (
            Self::AfterAForgery,
            "after_a_forgery",
            "after a forged one for the dearest plan",
        ),
    ];

    fn named(token: &str) -> Self {
        let found = Self::ALL.iter().find(|(_, name, _)| *name == token);
        found.map_or(Self::AtOnce, |(manner, _, _)| *manner)
    }
}

/// One of the provider's messages.
struct Message<'a> {
    event: &'a str,
    plan: &'a str,
    /// Its identity; of a repetition, that of the first.
    id: &'a str,
    forged: bool,
    after: i64,
}

/// Takes the money, once, and lets the service know in some manner: both or neither.
async fn pay(platform: &Platform, checkout: &Checkout, manner: Manner) -> sqlx::Result<()> {
    let mut transaction = platform.pool.begin_with("BEGIN IMMEDIATE").await?;
    // Two tabs may have two checkouts open: one of them is paid.
    let query = "UPDATE checkouts SET state = 'paid' WHERE id = $1 AND NOT EXISTS
                 (SELECT 1 FROM checkouts WHERE customer = $2 AND state = 'paid')";
    let query = sqlx::query(query)
        .bind(&checkout.id)
        .bind(&checkout.customer);
    let paid = query.execute(&mut *transaction).await?;
    if paid.rows_affected() == 0 {
        return Ok(());
    }
    let [first, second, third] = [(); 3].map(|()| format!("msg_{}", Uuid::new_v4().simple()));
    let message = |event, id, after| Message {
        event,
        plan: &checkout.plan,
        id,
        forged: false,
        after,
    };
    let authorised = |after| message("payment.authorised", first.as_str(), after);
    let captured = |after| message("payment.captured", second.as_str(), after);
    let messages = match manner {
        Manner::AtOnce => vec![authorised(0), captured(0)],
        Manner::Late => vec![authorised(0), captured(LATE)],
        Manner::Twice => vec![
            authorised(0),
            captured(0),
            captured(0),
            message("payment.captured", third.as_str(), 1),
        ],
        Manner::OutOfOrder => vec![captured(0), authorised(2)],
        Manner::AfterAForgery => {
            let forged = Message {
                plan: Plan::Scale.token(),
                forged: true,
                ..message("payment.captured", third.as_str(), 0)
            };
            vec![forged, authorised(0), captured(LATE)]
        }
    };
    for message in messages {
        let body = serde_json::json!({
            "type": message.event,
            "customer": checkout.customer,
            "plan": message.plan,
            "invoice": format!("inv-{}", &checkout.id[..8.min(checkout.id.len())]),
        });
        sqlx::query("INSERT INTO deliveries (message, body, forged, due) VALUES ($1, $2, $3, $4)")
            .bind(message.id)
            .bind(body.to_string())
            .bind(message.forged)
            .bind(now() + message.after)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

async fn decline(platform: &Platform, checkout: &Checkout) -> sqlx::Result<()> {
    let query = "UPDATE checkouts SET state = 'declined' WHERE id = $1 AND state = 'open'";
    sqlx::query(query)
        .bind(&checkout.id)
        .execute(&platform.pool)
        .await?;
    Ok(())
}
