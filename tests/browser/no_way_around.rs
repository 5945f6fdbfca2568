//! Nobody gets further, or sees more, than is theirs.

use serde_json::json;

use crate::BRISK;
use crate::driver::Browser;
use crate::server::Server;
use crate::way::Customer;

/// The pages of the way, and what only signed-in customers may see.
const INSIDE: [&str; 7] = [
    "/business",
    "/plan",
    "/payment",
    "/setup",
    "/dashboard",
    "/begin",
    "/outbox",
];

#[test]
fn nobody_gets_ahead_by_typing_an_address() {
    let (server, browser) = (Server::start(&BRISK), Browser::open());
    let bob = Customer {
        browser: &browser,
        server: &server,
    };
    for path in INSIDE {
        bob.go(path);
        assert_eq!(browser.path(), "/sign-in", "{path} without a sign-in");
    }
    let ahead = |next: &str, open: &[&str]| {
        for path in [
            "/begin",
            "/business",
            "/plan",
            "/payment",
            "/setup",
            "/dashboard",
        ] {
            bob.go(path);
            let lands = if open.contains(&path) { path } else { next };
            assert_eq!(browser.path(), lands, "{path} while {next} is next");
        }
    };
    bob.sign_up("Bob", "bob@example.com");
    ahead("/business", &[]);
    bob.go("/business");
    browser.fill("#company", "Bob & Co");
    bob.give_business();
    ahead("/plan", &["/business"]);
    bob.go("/plan");
    bob.choose_plan("starter");
    ahead("/payment", &["/business", "/plan"]);

    // Nor by posting what no page of ours would: without the form's token, nor past the forms.
    let post = |path: &str, body: &str| {
        browser.run_async(&format!(
            "fetch('{path}', {{ method: 'POST', headers: {{ 'content-type': 'application/x-www-form-urlencoded' }}, body: '{body}' }}).then((answer) => answer.status)"
        ))
    };
    assert_eq!(post("/payment", "form_token=forged"), 403);
    assert_eq!(post("/setup/retry", ""), 403);
    let token = browser.run("return document.querySelector('[name=form_token]').value");
    let token = token.as_str().unwrap();
    browser.run_async(&format!(
        "fetch('/key', {{ method: 'POST', headers: {{ 'content-type': 'application/x-www-form-urlencoded' }}, body: 'form_token={token}' }}).then((answer) => answer.url)"
    ));
    let evidence = "fetch('/api/onboarding/steps/payment/submit', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{\"plan\":\"scale\",\"invoice\":\"x\"}' }).then((answer) => answer.status)";
    assert_eq!(browser.run_async(evidence), 403);
    let forged = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1795274444"),
        ("webhook-signature", "v1,AAAA"),
    ];
    assert_eq!(server.post("/webhooks/testpay", &forged, "{}").status, 400);
    ahead("/payment", &["/business", "/plan"]);

    // Somebody else's checkout is absent.
    bob.go("/payment");
    browser.follow("main button");
    let checkout = browser.path();
    bob.go("/");
    bob.sign_out();
    bob.sign_up("Eve", "eve@example.com");
    bob.go(&checkout);
    browser.wait_for_text("There is nothing here");
    assert!(!browser.text().contains("49"));
    assert_eq!(
        browser.run("return document.cookie"),
        "",
        "no cookie is for scripts"
    );

    let page = server.get("/sign-up");
    for (name, holds) in [
        (
            "content-security-policy",
            "script-src 'self'; style-src 'self'",
        ),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("set-cookie", "HttpOnly; SameSite=Lax"),
    ] {
        let value = page.header(name).unwrap_or_default();
        assert!(value.contains(holds), "{name}: {value}");
    }
}

#[test]
fn the_key_is_shown_to_one_of_two_tabs() {
    let (server, browser) = (Server::start(&["--pace", "1"]), Browser::open());
    let fay = Customer {
        browser: &browser,
        server: &server,
    };
    fay.come_to_payment("Fay", "fay@example.com", "starter");
    fay.pay("at_once");
    browser.wait_for_path("/dashboard");
    // Both at once, as often as there are tabs.
    let race = |path: &str, extra: &str, counts: &str| {
        browser.run_async(&format!(
            "Promise.all([...Array(6)].map(() => fetch('{path}', {{ method: 'POST', headers: {{ 'content-type': 'application/x-www-form-urlencoded' }}, body: new URLSearchParams({{ form_token: document.querySelector('[name=form_token]').value, {extra} }}) }}).then((answer) => answer.text()))).then((all) => all.filter((page) => page.includes('{counts}')).map((page) => new DOMParser().parseFromString(page, 'text/html').querySelector('[name=reveal_token], #api-key').value))"
        ))
    };
    let offers = race("/key", "", "reveal_token");
    let offers = offers.as_array().unwrap();
    assert_eq!(offers.len(), 1, "one tab is offered the key: {offers:?}");
    let token = format!("reveal_token: {}", offers[0]);
    let keys = race("/key/reveal", &token, "api-key");
    let keys = keys.as_array().unwrap();
    assert_eq!(keys.len(), 1, "one tab is shown the key: {keys:?}");

    // Once more for who proves who they are, and it is the same key.
    fay.go("/dashboard");
    browser.follow("form[action='/key/again'] button");
    fay.follow_mail();
    browser.follow("form[action='/key/reveal'] button");
    assert_eq!(json!(browser.value("#api-key")), keys[0]);
    browser.back();
    browser.back();
    fay.go("/dashboard");
    assert!(!browser.text().contains(keys[0].as_str().unwrap()));
}

#[test]
fn whoever_signs_out_and_in_is_where_they_were() {
    let (server, browser) = (Server::start(&BRISK), Browser::open());
    let ida = Customer {
        browser: &browser,
        server: &server,
    };
    ida.sign_up("Ida", "ida@example.com");
    browser.fill("#company", "Ida's Ideas");
    browser.fill("#currency", "EUR");
    browser.follow("button[value=later]");
    browser.wait_for_text("Kept.");
    ida.sign_out();
    browser.back();
    browser.wait("nothing of hers", || !browser.text().contains("Ida"));
    ida.go("/business");
    assert_eq!(browser.path(), "/sign-in");

    ida.sign_in("IDA@example.com");
    assert_eq!(browser.path(), "/business");
    assert_eq!(browser.value("#company"), "Ida's Ideas");
    assert_eq!(browser.value("#currency"), "EUR");
    ida.give_business();
    ida.choose_plan("professional");
    // Back, and another choice: what is kept is shown, and changed.
    browser.back();
    browser.wait_for_path("/plan");
    browser.wait("her choice", || {
        browser.run("return document.querySelector('[value=professional]').checked") == true
    });
    ida.choose_plan("starter");
    browser.back();
    browser.back();
    browser.refresh();
    ida.go("/");
    assert_eq!(browser.path(), "/payment");
    browser.wait_for_text("9 INR");
    ida.sign_out();

    // A link works once, and not for who has none.
    ida.go("/sign-in");
    browser.fill("#email", "ida@example.com");
    browser.follow("main button");
    let link = browser.run("return document.querySelector('#mailed-link').href");
    browser.follow("#mailed-link");
    browser.follow("main button");
    assert_eq!(browser.path(), "/payment");
    ida.sign_out();
    browser.go(link.as_str().unwrap());
    browser.follow("main button");
    browser.wait_for_text("This link does not work any more");
    ida.go("/sign-in");
    browser.fill("#email", "nobody@example.com");
    browser.follow("main button");
    browser.wait_for_text("Nobody has signed up with that address");
    assert!(!browser.has("#mailed-link"));
}
