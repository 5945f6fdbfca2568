//! A proof serves for one offer.
use onramp::vault::{Reauthenticated, Vault};
use onramp::{OnboardingId, SecretName, TenantId};

async fn misuse(vault: Vault, tenant: TenantId, id: OnboardingId, name: SecretName, proof: Reauthenticated) {
    let _ = vault.offer_again(&tenant, id, &name, proof).await;
    let _ = vault.offer_again(&tenant, id, &name, proof).await;
}

fn main() {}
