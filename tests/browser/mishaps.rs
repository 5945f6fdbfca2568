//! Two tabs, payments that are told of in their own manner, a server that is killed.

use crate::driver::Browser;
use crate::server::Server;
use crate::way::Customer;
use crate::{BRISK, SLOW};

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
fn a_server_that_is_killed_while_it_takes_back_goes_on_taking_back() {
    let failing = ["--pace", "250", "--fail", "issue_api_key"];
    let (mut server, browser) = (Server::start(&failing), Browser::open());
    let lea = Customer {
        browser: &browser,
        server: &server,
    };
    lea.come_to_payment("Lea", "lea@example.com", "professional");
    lea.pay("at_once");
    browser.wait_for_path("/setup");
    browser.wait_for_text("being taken back");
    server.kill();
    server.start_again(&BRISK);
    browser.wait("the failure", || browser.has("form[action='/setup/retry']"));
    assert_eq!(server.workspaces(), 0, "nothing is left over");
    browser.follow("form[action='/setup/retry'] button");
    browser.wait_for_text("at it");
    server.kill();
    server.start_again(&BRISK);
    browser.wait_for_path("/dashboard");
    assert_eq!(server.workspaces(), 1);
    browser.wait_for_text("Professional");
}
