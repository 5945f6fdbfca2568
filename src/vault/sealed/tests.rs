use proptest::prelude::*;

use super::*;
use crate::id::{OnboardingId, SecretName, TenantId};
use crate::vault::local_keys::LocalKeys;

const OLD: &str = "old = 8f3c0a51d2e94b7786a1c5f0e3d2b4a697887766554433221100ffeeddccbbaa";
const NEW: &str = "new = j3x1s0mHf7cNq8ZyXo5w2vKQb4uTzRrP6aEeLgDdWmk=";

fn keys(text: &str) -> LocalKeys {
    LocalKeys::parse(text).unwrap()
}

fn label() -> Label {
    labelled("acme", OnboardingId::fresh(), "openai")
}

fn labelled(tenant: &str, record: OnboardingId, purpose: &str) -> Label {
    let purpose = SecretName::new(purpose).unwrap();
    Label::new(TenantId::new(tenant).unwrap(), record, purpose)
}

/// Nothing here waits, so it needs no runtime.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("local keys answer at once"),
    }
}

fn seal(keys: &LocalKeys, label: &Label, plain: &[u8]) -> Sealed {
    now(Sealed::seal(keys, label, &Secret::new(plain.to_vec()))).unwrap()
}

fn opened(sealed: &Sealed, keys: &LocalKeys, label: &Label) -> Option<Vec<u8>> {
    let secret = now(sealed.open(keys, label)).ok()?;
    Some(secret.expose().to_vec())
}

#[test]
fn any_flipped_bit_of_any_byte_is_found() {
    let (keys, label) = (keys(OLD), label());
    let sealed = seal(&keys, &label, b"sk-proj-4242");
    type Part = fn(&mut Sealed) -> &mut Vec<u8>;
    let every: [Part; 3] = [|s| &mut s.wrapped.0, |s| &mut s.nonce.0, |s| &mut s.text.0];
    for part in every {
        let len = part(&mut sealed.clone()).len();
        for (at, bit) in (0..len).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = sealed.clone();
            part(&mut changed)[at] ^= 1 << bit;
            let found = now(changed.open(&keys, &label));
            assert!(
                matches!(found, Err(SealError::Broken)),
                "byte {at} bit {bit}"
            );
        }
        for cut in 0..len {
            let mut changed = sealed.clone();
            part(&mut changed).truncate(cut);
            assert!(opened(&changed, &keys, &label).is_none(), "cut to {cut}");
        }
        let mut longer = sealed.clone();
        part(&mut longer).push(0);
        assert!(opened(&longer, &keys, &label).is_none(), "longer");
    }
}

#[test]
fn any_changed_character_of_what_is_stored_is_found() {
    let (keys, label) = (keys(OLD), label());
    let stored = serde_json::to_string(&seal(&keys, &label, b"sk-proj-4242")).unwrap();
    for at in 0..stored.len() {
        for bit in 0..8 {
            let mut bytes = stored.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = serde_json::from_slice::<Sealed>(&bytes) else {
                continue;
            };
            assert!(
                opened(&changed, &keys, &label).is_none(),
                "byte {at} bit {bit}"
            );
        }
    }
}

#[test]
fn swapping_any_field_is_found() {
    let keys = keys(&format!("{OLD}, {NEW}"));
    let id = OnboardingId::fresh();
    let label = labelled("acme", id, "openai");
    let (sealed, other) = (seal(&keys, &label, b"one"), seal(&keys, &label, b"two"));
    let elsewhere = [
        labelled("acmf", id, "openai"),
        labelled("acme", OnboardingId::fresh(), "openai"),
        labelled("acme", id, "openaj"),
        // The same letters, with the border somewhere else.
        labelled("acmeo", id, "penai"),
    ];
    for wrong in &elsewhere {
        assert!(opened(&sealed, &keys, wrong).is_none(), "{wrong:?}");
    }
    type Swap = fn(&mut Sealed, Sealed);
    let swaps: [Swap; 5] = [
        |s, _| s.version = 2,
        |s, _| s.key = KeyId::new("new").unwrap(),
        |s, other| s.wrapped = other.wrapped,
        |s, other| s.nonce = other.nonce,
        |s, other| s.text = other.text,
    ];
    for swap in swaps {
        let mut swapped = sealed.clone();
        swap(&mut swapped, other.clone());
        assert!(opened(&swapped, &keys, &label).is_none(), "{swapped:?}");
    }
    let bound = label.bound(DOMAIN, VERSION);
    assert_ne!(bound, label.bound(DOMAIN, VERSION + 1));
    assert_ne!(bound, label.bound("onramp.other", VERSION));
}

#[test]
fn rewrapping_changes_the_wrapping_only() {
    let label = label();
    let old = seal(&keys(OLD), &label, b"sk-proj-4242");
    let both = keys(&format!("{NEW}, {OLD}"));
    let new = now(old.rewrap(&both, &label)).unwrap().unwrap();
    assert_eq!((&new.text.0, &new.nonce.0), (&old.text.0, &old.nonce.0));
    assert_eq!((new.key.as_str(), old.key.as_str()), ("new", "old"));
    assert_eq!(
        now(new.rewrap(&both, &label)).unwrap(),
        None,
        "once is enough"
    );

    let only = keys(NEW);
    assert_eq!(opened(&new, &only, &label).unwrap(), b"sk-proj-4242");
    let Err(SealError::Keys(error)) = now(old.open(&only, &label)) else {
        unreachable!("its key was taken away")
    };
    assert_eq!(error.kind(), KeyErrorKind::Unknown);

    let mut changed = old;
    changed.text.0[0] ^= 1;
    let refused = now(changed.rewrap(&both, &label));
    assert!(matches!(refused, Err(SealError::Broken)));
}

#[test]
fn what_is_too_long_or_too_new_is_refused_in_words() {
    let (keys, label) = (keys(OLD), label());
    let long = Secret::new(vec![7; Sealed::MAX_LEN + 1]);
    let Err(error) = now(Sealed::seal(&keys, &label, &long)) else {
        unreachable!("it is too long")
    };
    assert_eq!(
        error.to_string(),
        "the secret is 16385 bytes long: use 16384 at most"
    );
    let mut newer = seal(&keys, &label, b"x");
    newer.version = 2;
    let Err(error) = now(newer.open(&keys, &label)) else {
        unreachable!("nobody knows what it is")
    };
    assert!(
        error
            .to_string()
            .contains("is of version 2, this program reads 1")
    );
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_again_and_is_not_seen(plain in prop::collection::vec(any::<u8>(), 0..200)) {
        let (keys, label) = (keys(OLD), label());
        let sealed = seal(&keys, &label, &plain);
        let stored = serde_json::to_string(&sealed).unwrap();
        let back: Sealed = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(opened(&back, &keys, &label), Some(plain.clone()));
        let again = seal(&keys, &label, &plain);
        prop_assert_ne!(again.text.0, sealed.text.0);
        prop_assert_ne!(again.wrapped.0, sealed.wrapped.0);
    }

    #[test]
    fn a_flip_anywhere_is_found(
        plain in prop::collection::vec(any::<u8>(), 0..100), part in 0..3_u8,
        at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let (keys, label) = (keys(OLD), label());
        let mut sealed = seal(&keys, &label, &plain);
        let bytes = match part {
            0 => &mut sealed.wrapped.0,
            1 => &mut sealed.nonce.0,
            _ => &mut sealed.text.0,
        };
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(opened(&sealed, &keys, &label).is_none());
    }
}
