//! A host's own row and the onboarding in one transaction: `cargo run --example signup`.
//!
//! A sign-up inserts into the host's `users` and begins the onboarding. Both are stored together; when
//! the host rolls back, for instance because the address is taken, neither is. Later the host records
//! a payment and tells the onboarding so, again in one transaction.

use onramp::prelude::*;
use serde::{Deserialize, Serialize};

struct Signup;
impl Flow for Signup {
    const NAME: &'static str = "signup";
    const VERSION: u32 = 1;
}

/// Attested by the host when its payment provider has confirmed.
#[derive(Serialize, Deserialize)]
struct Paid {
    invoice: String,
}
impl Step for Paid {
    const NAME: &'static str = "paid";
}
impl Evidence<Signup> for Paid {}

type Failed = Box<dyn std::error::Error>;

/// The host's service: its pool, and the store of onboardings in the same database.
struct Service {
    pool: sqlx::SqlitePool,
    store: SqliteStore,
    onramp: Onramp<Signup>,
    tenant: TenantId,
}

impl Service {
    async fn sign_up(&self, user: &str, email: &str) -> Result<(), Failed> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let subject = SubjectId::new(user)?;
        let mut joined = self.store.join(&mut transaction);
        self.onramp
            .enroll_in(&mut joined, &self.tenant, &subject)
            .await?;
        // A second user of the same address: an error here takes the onboarding back, too.
        sqlx::query("INSERT INTO users (id, email) VALUES ($1, $2)")
            .bind(user)
            .bind(email)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn paid(&self, user: &str, invoice: &str) -> Result<StageKind, Failed> {
        let subject = SubjectId::new(user)?;
        let found = self.onramp.open(&self.tenant, &subject).await?;
        let pending = found.ok_or("no such user")?.into_pending();
        let pending = pending.map_err(|now| format!("it is {} already", now.stage()))?;
        let clearance = self.onramp.clear(&pending).await?;
        let running = self.onramp.commit(pending.start(clearance)).await?;

        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO payments (invoice, \"user\") VALUES ($1, $2)")
            .bind(invoice)
            .bind(user)
            .execute(&mut *transaction)
            .await?;
        let invoice = invoice.to_owned();
        let change = running.attest(Paid { invoice }).and_complete();
        let mut joined = self.store.join(&mut transaction);
        let token = self.onramp.commit_in(&mut joined, change).await?;
        transaction.commit().await?;
        // The handle exists only now that the host has committed.
        match self.onramp.resolve(&token).await? {
            Resolution::Committed(now) | Resolution::NotCommitted(now) => Ok(now.stage()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("service.db");
    let store = SqliteStore::open(&file).await?;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    sqlx::raw_sql(
        "CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE);
         CREATE TABLE payments (invoice TEXT PRIMARY KEY, \"user\" TEXT NOT NULL)",
    )
    .execute(&pool)
    .await?;
    let flow = Signup::steps().expect::<Paid>().build()?;
    let onramp = Onramp::new(store.clone(), flow);
    let tenant = TenantId::new("acme")?;
    let service = Service {
        pool,
        store,
        onramp,
        tenant,
    };

    service.sign_up("ann", "ann@example.com").await?;
    println!("ann    signed up");
    let taken = service.sign_up("andy", "ann@example.com").await;
    println!(
        "andy   not signed up: {}",
        taken.err().ok_or("it was taken")?
    );
    let andy = SubjectId::new("andy")?;
    let found = service.onramp.open(&service.tenant, &andy).await?;
    println!(
        "andy   has {} onboarding",
        if found.is_none() { "no" } else { "an" }
    );
    println!(
        "ann    paid, and is {}",
        service.paid("ann", "inv-1").await?
    );
    Ok(())
}
