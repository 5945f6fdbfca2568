//! The mirror over HTTP, against a provider that is really there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use onramp::tiers::{
    HttpMirror, InvalidTiers, Mirror, MirrorErrorKind, NotProjected, Projected, Tag, Tier, Tiered,
};
use serde_json::json;

use crate::desk::{Desk, FRESH};
use crate::provider::{Mood, Provider, TOKEN};
use crate::support::Workspace;

const ATTRIBUTE: &str = "onramp/workspace/acme";

fn mirror(at: SocketAddr) -> HttpMirror {
    let url = format!("http://{at}/api/");
    HttpMirror::builder().url(url).token(TOKEN).build().unwrap()
}

fn tiers(desk: &Desk, mirror: HttpMirror) -> Tiered<Workspace> {
    let builder = Tiered::builder(desk.behind.clone()).mirror(mirror);
    let builder = builder.mirror_within(Duration::from_secs(5));
    builder.build().unwrap()
}

#[tokio::test]
async fn a_status_goes_to_the_provider_and_comes_back() {
    let (provider, at) = Provider::begin().await;
    let mut desk = Desk::new();
    desk.tiers = tiers(&desk, mirror(at));
    desk.completed("auth0|42/..").await;
    desk.project("auth0|42/..").await;
    let paths = provider.paths.lock().unwrap().clone();
    let one_segment = "/api/users/auth0%7C42%2F../attributes";
    assert!(paths.iter().all(|path| path == one_segment), "{paths:?}");

    desk.forget("auth0|42/..");
    desk.database_off
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let reading = desk.read("auth0|42/..").await;
    assert_eq!(reading.source(), Tier::Mirror);
    assert!(!reading.status().unwrap().needs_onboarding);
    assert!(
        desk.admit("auth0|42/..").await.granted().is_none(),
        "shown, and not let in"
    );
}

#[tokio::test]
async fn attributes_of_others_stay_as_they_are() {
    let (provider, at) = Provider::begin().await;
    let theirs = r#""flags":[1.10,{"a": null}],"id":123456789012345678901234"#;
    provider.put("org-1", &format!("{{\"locale\":\"de\",{theirs}}}"));
    let mut desk = Desk::new();
    desk.tiers = tiers(&desk, mirror(at));
    let _ = desk.started("org-1").await;
    desk.project("org-1").await;
    let ours = provider.attributes("org-1")[ATTRIBUTE].clone();
    assert!(ours.as_str().unwrap().contains("\"in_progress\""));
    let text = provider.text("org-1");
    assert!(text.contains(theirs), "to the letter: {text}");

    desk.login("org-1").await;
    desk.clock.pass(FRESH);
    desk.project("org-1").await;
    assert_eq!(provider.attributes("org-1")["locale"], "de");
}

#[tokio::test]
async fn whoever_comes_late_changes_nothing() {
    let (provider, at) = Provider::begin().await;
    let (desk, mirror) = (Desk::new(), mirror(at));
    let key = desk.key("org-1");
    let empty = mirror.load(&key).await.unwrap();
    assert_eq!(empty.text, None);
    mirror.store(&key, "first", &empty.tag).await.unwrap();
    let late = mirror.store(&key, "second", &empty.tag).await.unwrap_err();
    assert_eq!(late.kind(), MirrorErrorKind::Moved);
    let first = mirror.load(&key).await.unwrap();
    assert_eq!(first.text.as_deref(), Some("first"));
    mirror.store(&key, "third", &first.tag).await.unwrap();
    let gone = Tag::new("\"v99\"");
    let late = mirror.store(&key, "fourth", &gone).await.unwrap_err();
    assert_eq!(late.kind(), MirrorErrorKind::Moved);
    assert_eq!(provider.attributes("org-1")[ATTRIBUTE], "third");

    // Between our look and our write, only the provider can tell.
    provider.is(Mood::Busy);
    let third = mirror.load(&key).await.unwrap();
    let raced = mirror.store(&key, "fifth", &third.tag).await.unwrap_err();
    assert_eq!(raced.kind(), MirrorErrorKind::Moved);
    let again = mirror.load(&key).await.unwrap();
    provider.is(Mood::Good);
    assert_eq!(again.text.as_deref(), Some("third"));
    assert!(
        provider.attributes("org-1")["visits"].is_number(),
        "nobody's change is lost"
    );
}

#[tokio::test]
async fn each_way_in_which_a_provider_fails_has_its_kind() {
    use MirrorErrorKind::{Moved, Refused, Unavailable};
    let (provider, at) = Provider::begin().await;
    provider.put("org-1", "{}");
    let (desk, mirror) = (Desk::new(), mirror(at));
    let key = desk.key("org-1");
    let tag = mirror.load(&key).await.unwrap().tag;
    for (mood, kind) in [
        (Mood::Status(401), Refused),
        (Mood::Status(403), Refused),
        (Mood::Status(302), Refused),
        (Mood::Status(400), Refused),
        (Mood::Status(429), Unavailable),
        (Mood::Status(500), Unavailable),
        (Mood::Status(503), Unavailable),
        (Mood::NoEtag, Refused),
        (Mood::WeakEtag, Refused),
        (Mood::NoJson, Refused),
        (Mood::Huge, Refused),
    ] {
        provider.is(mood);
        let load = mirror.load(&key).await.unwrap_err();
        assert_eq!(load.kind(), kind, "{mood:?}: {load}");
        let store = mirror.store(&key, "text", &tag).await.unwrap_err();
        assert_eq!(store.kind(), kind, "{mood:?}: {store}");
        for text in [format!("{load}"), format!("{load:?}")] {
            assert!(!text.contains(TOKEN), "{text}");
        }
    }
    let followed = provider
        .paths
        .lock()
        .unwrap()
        .iter()
        .any(|path| path == "/elsewhere");
    assert!(!followed, "the token went somewhere else");
    provider.is(Mood::Good);
    assert_eq!(provider.attributes("org-1"), json!({}));
    let moved = mirror.store(&key, "text", &Tag::new("")).await.unwrap_err();
    assert_eq!(moved.kind(), Moved);
}

#[tokio::test]
async fn a_provider_that_hangs_or_is_not_there_is_away() {
    let (provider, at) = Provider::begin().await;
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    let key = desk.key("org-1");
    let nobody = HttpMirror::builder()
        .url("http://127.0.0.1:1")
        .token(TOKEN)
        .build()
        .unwrap();
    let away = nobody.load(&key).await.unwrap_err();
    assert_eq!(away.kind(), MirrorErrorKind::Unavailable);

    provider.is(Mood::Hangs);
    let within = Duration::from_millis(30);
    let builder = Tiered::builder(desk.behind.clone()).mirror(mirror(at));
    let tiers = builder.mirror_within(within).build().unwrap();
    let projecting = tiers.projector();
    let projected = projecting.project(&key.tenant, &key.subject);
    let Err(NotProjected::Mirror(error)) = projected.await else {
        unreachable!("it hangs")
    };
    assert_eq!(error.kind(), MirrorErrorKind::Unavailable);
    provider.is(Mood::Good);
    let projected = projecting.project(&key.tenant, &key.subject).await.unwrap();
    assert_eq!(projected, Projected::Changed);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_not_tried_again() {
    let (provider, at) = Provider::begin().await;
    let desk = Desk::new();
    let _ = desk.started("org-1").await;
    let url = format!("http://{at}/api");
    let wrong = HttpMirror::builder()
        .url(url)
        .token("wrong")
        .build()
        .unwrap();
    let tiers = tiers(&desk, wrong);
    let key = desk.key("org-1");
    let projected = tiers.projector().project(&key.tenant, &key.subject).await;
    let Err(NotProjected::Mirror(error)) = projected else {
        unreachable!("the token is wrong")
    };
    assert_eq!(
        error.to_string(),
        "mirror_refused: 401: it does not accept the token"
    );
    assert_eq!(provider.paths.lock().unwrap().len(), 1);
}

#[test]
fn a_mirror_that_is_not_set_up_is_found_when_it_is_built() {
    let of = |url: &str, token: &str| HttpMirror::builder().url(url).token(token).build();
    let why = |url: &str, token: &str| of(url, token).unwrap_err();
    assert_eq!(why("", "t"), InvalidTiers::MissingUrl);
    for missing in ["", " "] {
        assert_eq!(
            why("https://id.example.com", missing),
            InvalidTiers::MissingToken
        );
    }
    assert_eq!(
        why("https://id.example.com", "a\nb"),
        InvalidTiers::InvalidToken
    );
    let plain = "http://id.example.com";
    assert_eq!(
        why(plain, "t"),
        InvalidTiers::Plaintext { url: plain.into() }
    );
    let permitted = HttpMirror::builder()
        .url(plain)
        .token("t")
        .allow_plaintext();
    assert!(permitted.build().is_ok());
    for loopback in [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:9",
    ] {
        assert!(of(loopback, "t").is_ok(), "{loopback}");
    }
    for plain in [
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        assert!(
            matches!(why(plain, "t"), InvalidTiers::Plaintext { .. }),
            "{plain}"
        );
    }
    for bad in [
        "id.example.com",
        "/users",
        "ftp://id.example.com",
        "https://a?b=c",
        "https://a b",
    ] {
        let why = why(bad, "t");
        assert!(
            matches!(why, InvalidTiers::InvalidUrl { .. }),
            "{bad}: {why}"
        );
    }
    let secret = why("https://ann:canary@id.example.com", "t");
    assert!(!secret.to_string().contains("canary"), "{secret}");
}

#[tokio::test]
async fn the_token_is_in_no_debug_text() {
    let builder = HttpMirror::builder()
        .url("https://id.example.com")
        .token(TOKEN);
    assert!(!format!("{builder:?}").contains(TOKEN));
    let mirror = builder.build().unwrap();
    assert!(!format!("{mirror:?}").contains(TOKEN));
    let tiers = tiers(&Desk::new(), mirror);
    assert!(!format!("{tiers:?} {:?}", tiers.projector()).contains(TOKEN));
    let _: Arc<dyn Mirror> = Arc::new(mirror_of_https());
}

fn mirror_of_https() -> HttpMirror {
    let builder = HttpMirror::builder().url("https://id.example.com/");
    builder.token(TOKEN).build().unwrap()
}
