//! `examples/saas` as people use it: in a browser, with several tabs, at the wrong moment, through a power
//! cut. Needs Chromium and its driver (`sudo apt-get install chromium chromium-driver`); without them it
//! fails, because what is left out proves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/http.rs"]
mod http;
#[path = "browser/looks.rs"]
mod looks;
#[path = "browser/server.rs"]
mod server;
#[path = "browser/way.rs"]
mod way;

use driver::Browser;
use serde_json::json;
use server::Server;
use way::Customer;

/// So quick that nobody waits, and so slow that one can watch.
const BRISK: [&str; 2] = ["--pace", "150"];
const SLOW: [&str; 2] = ["--pace", "400"];

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
fn a_customer_walks_the_whole_way() {
    let (server, browser) = (Server::start(&SLOW), Browser::open());
    let ann = Customer {
        browser: &browser,
        server: &server,
    };
    ann.go("/");
    assert_eq!(browser.path(), "/sign-up");
    browser.follow("main button");
    browser.wait_for_text("Your name is empty");
    ann.sign_up("Ann Lee", "ann@blue-heron.example");

    // Filled in with what is known, and marked as that; nothing is made up.
    assert_eq!(browser.path(), "/business");
    assert_eq!(browser.value("#company"), "Blue Heron");
    assert_eq!(browser.value("#contact"), "Ann Lee");
    assert_eq!(browser.value("#currency"), "");
    assert_eq!(browser.text().matches("From your sign-up").count(), 2);

    // What is wrong is said beside its field, and is where the focus is.
    browser.fill("#currency", "ZZZ");
    browser.follow("button[value=go]");
    browser.wait_for_text("Unknown currency \"ZZZ\"");
    let focused = "return document.activeElement.classList.contains('summary')";
    assert_eq!(browser.run(focused), true);
    let marked =
        "return [...document.querySelectorAll('[aria-invalid=true]')].map((it) => it.name)";
    assert_eq!(
        browser.run(marked),
        json!(["currency", "time_zone", "region"])
    );
    ann.give_business();

    ann.choose_plan("professional");
    browser.follow("main button");
    browser.follow("button[value=decline]");
    browser.wait_for_text("Your card was declined");
    ann.pay("at_once");

    // Nobody touches the page from here on: it follows what happens.
    browser.wait_for_path("/setup");
    browser.run("window.stayed = true");
    browser.wait_for_text(" of 8");
    let counted = "return document.querySelector('.count').innerText";
    let first = browser.run(counted);
    browser.wait("the bar to move", || browser.run(counted) != first);
    assert_eq!(
        browser.run("return window.stayed"),
        true,
        "without loading it again"
    );
    assert_eq!(
        browser.run("return document.querySelector('[aria-live=polite]').innerText"),
        "Create its tables: at it"
    );
    browser.wait_for_path("/dashboard");

    let text = browser.text();
    for fact in [
        "Blue Heron",
        "blue-heron.orchard.example",
        "Professional",
        "INR",
        "Asia/Kolkata",
    ] {
        assert!(
            text.contains(fact),
            "{fact} is not on the dashboard: {text}"
        );
    }
    browser.follow("form[action='/key'] button");
    browser.follow("form[action='/key/reveal'] button");
    let key = browser.value("#api-key");
    assert!(key.starts_with("saas_live_") && key.len() == 48, "{key}");
    browser.follow("main a");
    browser.wait_for_text("It was shown on");
    assert!(
        !browser
            .run("return document.documentElement.outerHTML")
            .to_string()
            .contains(&key)
    );

    ann.go("/outbox");
    browser.wait("the welcome", || {
        browser.refresh();
        browser.text().contains("Welcome! Your workspace is ready")
    });
    assert!(!browser.text().contains(&key));
    assert_eq!(browser.complaints(), [""; 0]);
}

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
fn two_tabs_do_not_overwrite_one_another() {
    let (server, browser) = (Server::start(&BRISK), Browser::open());
    let cleo = Customer {
        browser: &browser,
        server: &server,
    };
    cleo.sign_up("Cleo", "cleo@two-tabs.example");
    let (first, second) = (browser.this_tab(), browser.new_tab());
    browser.switch_to(&second);
    cleo.go("/business");
    cleo.fill_in_business();
    browser.fill("#company", "Second Tab");

    browser.switch_to(&first);
    cleo.give_business();
    browser.switch_to(&second);
    browser.follow("button[value=go]");
    browser.wait_for_text("answered in another tab");
    assert_eq!(browser.value("#company"), "Two Tabs", "what is kept");
    // Now it is a change, and somebody's wish.
    browser.fill("#company", "Second Tab");
    browser.follow("button[value=go]");
    assert_eq!(browser.path(), "/plan");

    // The same wish in both is one wish.
    browser.switch_to(&first);
    cleo.choose_plan("starter");
    browser.switch_to(&second);
    cleo.choose_plan("starter");
    cleo.pay("at_once");
    browser.wait_for_path("/dashboard");
    browser.wait_for_text("Second Tab");
    browser.switch_to(&first);
    browser.wait_for_path("/dashboard");
    assert_eq!(server.workspaces(), 1);

    // Back is a page of another day: nothing can be changed with it any more.
    browser.back();
    browser.wait_for_path("/dashboard");
}

#[test]
fn a_server_that_is_killed_goes_on_where_it_was() {
    let (mut server, browser) = (Server::start(&SLOW), Browser::open());
    let dan = Customer {
        browser: &browser,
        server: &server,
    };
    dan.come_to_payment("Dan", "dan@power-cut.example", "scale");
    dan.pay("at_once");
    browser.wait_for_path("/setup");
    browser.wait_for_text("2 of 8");
    browser.refresh();
    assert_eq!(browser.path(), "/setup");
    browser.wait_for_text(" of 8");
    browser.run("window.stayed = true");
    server.kill();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(
        browser.text().contains("Create its tables"),
        "what is shown is kept"
    );
    server.start_again(&BRISK);
    // The page is told by itself, and its cookie is still good.
    browser.wait_for_path("/dashboard");
    assert_eq!(server.workspaces(), 1, "nothing was made twice");
    browser.wait_for_text(
        "members, projects, documents, comments, invoices, webhooks, settings, audit",
    );
    browser.follow("form[action='/key'] button");
    server.kill();
    server.start_again(&BRISK);
    // The offer outlives the server, too.
    browser.follow("form[action='/key/reveal'] button");
    assert!(browser.value("#api-key").starts_with("saas_live_"));
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
fn payments_come_late_twice_and_in_any_order() {
    let (server, browser) = (Server::start(&["--pace", "1"]), Browser::open());
    for manner in ["late", "twice", "out_of_order", "after_a_forgery"] {
        let gus = Customer {
            browser: &browser,
            server: &server,
        };
        gus.come_to_payment(
            "Gus",
            &format!("gus@{}.example", manner.replace('_', "-")),
            "starter",
        );
        gus.pay(manner);
        if manner == "late" {
            // Waiting is no failure, also after another look, and nobody is asked to pay again.
            browser.wait_for_text("We wait for Testpay");
            browser.refresh();
            browser.wait_for_text("We wait for Testpay");
            assert!(!browser.has("main button"));
            // Nor is a second plan to be paid beside it: what was paid is what counts.
            gus.go("/plan");
            gus.choose_plan("scale");
            browser.wait_for_text("We wait for Testpay");
            assert!(!browser.has("main button"));
            gus.go("/dashboard");
            assert_eq!(browser.path(), "/payment");
        }
        browser.wait_for_path("/dashboard");
        let plan = browser.run("return document.querySelector('#paid-plan').innerText");
        assert_eq!(plan, "Starter", "{manner}");
        gus.sign_out();
    }
    assert_eq!(server.workspaces(), 4);
    browser.go(&server.url("/operator"));
    browser.fill("#code", &server.code);
    browser.follow("main button");
    let text = browser.text();
    assert!(
        text.contains("forged") && text.contains("400 Bad Request"),
        "{text}"
    );
}

#[test]
fn a_failure_is_taken_back_and_tried_again() {
    let arguments = [
        "--pace",
        "150",
        "--fail",
        "load_settings",
        "--stuck-after",
        "0",
    ];
    let (server, browser) = (Server::start(&arguments), Browser::open());
    let hal = Customer {
        browser: &browser,
        server: &server,
    };
    hal.come_to_payment("Hal", "hal@example.com", "starter");

    // Meanwhile operators see where he is, and why. Their sign-in is another one.
    let (customer, operator) = (browser.this_tab(), browser.new_tab());
    browser.switch_to(&operator);
    hal.go("/operator");
    assert_eq!(browser.path(), "/operator/sign-in");
    browser.fill("#code", "guess");
    browser.follow("main button");
    browser.wait_for_text("That is not the code");
    browser.fill("#code", &server.code);
    browser.follow("main button");
    browser.wait_for_text("1 signed up, 0 are through (0 %), 0 have failed.");
    browser.wait_for_text("payment: waits for a third party");
    browser.follow("section[aria-labelledby=stuck] a");
    browser.wait_for_text("entries, and the chain holds");
    browser.wait_for_text("issue_api_key: will wait for a worker");

    browser.switch_to(&customer);
    hal.pay("at_once");
    browser.wait_for_path("/setup");
    browser.wait("the failure", || browser.has("form[action='/setup/retry']"));
    browser.wait_for_text("Our data centre could not set this up.");
    assert_eq!(server.workspaces(), 0, "nothing is left over");
    browser.refresh();
    browser.wait_for_text("We could not finish setting up");
    hal.go("/dashboard");
    assert_eq!(browser.path(), "/setup");

    // The second time a step fails for a moment, and is repeated by itself.
    browser.switch_to(&operator);
    hal.go("/operator");
    browser.wait_for_text("0 are through (0 %), 1 have failed.");
    browser.choose("#how", "once");
    browser.run("document.querySelector('#step').value = 'create_database'");
    browser.follow("section[aria-labelledby=fault] button");
    browser.switch_to(&customer);
    browser.follow("main button");
    browser.wait_for_text("We try again in a moment");
    browser.wait_for_path("/dashboard");
    assert_eq!(server.workspaces(), 1);
    hal.go("/outbox");
    browser.wait_for_text("We could not finish setting up your workspace");
    browser.switch_to(&operator);
    hal.go("/operator");
    browser.wait_for_text("1 signed up, 1 are through (100 %), 0 have failed.");
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

#[test]
fn all_of_it_works_without_scripts() {
    let (server, browser) = (Server::start(&BRISK), Browser::open());
    let jo = Customer {
        browser: &browser,
        server: &server,
    };
    browser.chromium(
        "Emulation.setScriptExecutionDisabled",
        &json!({"value": true}),
    );
    jo.come_to_payment("Jo", "jo@example.com", "starter");
    jo.pay("at_once");
    browser.wait_for_path("/dashboard");
    browser.follow("form[action='/key'] button");
    browser.follow("form[action='/key/reveal'] button");
    assert!(browser.value("#api-key").starts_with("saas_live_"));
}
