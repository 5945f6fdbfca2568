//! From sign-up to dashboard: as it should be, with a failure on the way, without scripts.

use serde_json::json;

use crate::driver::Browser;
use crate::server::Server;
use crate::way::Customer;
use crate::{BRISK, SLOW};

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
