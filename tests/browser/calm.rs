//! While something is away: nobody is sent elsewhere, nobody gets in, and nothing is lost.

use serde_json::{Value, json};

use crate::BRISK;
use crate::driver::Browser;
use crate::server::Server;
use crate::way::Customer;

/// What a request of the page that is open is answered with: status, `Retry-After`, and whether it leads
/// elsewhere.
fn answered(browser: &Browser, request: &str) -> Value {
    browser.run_async(&format!(
        "fetch({request}).then(r => [r.status, r.headers.get('retry-after'), r.type === 'opaqueredirect'])"
    ))
}

#[test]
fn a_closed_gate_is_a_page_to_try_again_on() {
    let (server, browser) = (Server::start(&BRISK), Browser::open());
    let eve = Customer {
        browser: &browser,
        server: &server,
    };
    server.hide("workspaces");
    eve.sign_up("Eve", "eve@gate.example");
    assert_eq!(browser.path(), "/begin");
    browser.follow("main button");
    assert_eq!(browser.path(), "/begin");
    let calm = "We are not ready for new customers yet. Please come back a little later.";
    assert!(browser.text().contains(calm), "{}", browser.text());
    let form = "new URLSearchParams(new FormData(document.querySelector('main form')))";
    let again = format!("'/begin', {{method: 'POST', redirect: 'manual', body: {form}}}");
    assert_eq!(answered(&browser, &again)[0], 503);
    assert_eq!(answered(&browser, &again)[2], false);
    for inside in ["/business", "/payment", "/setup", "/dashboard"] {
        eve.go(inside);
        assert_eq!(browser.path(), "/begin", "{inside} is not open");
    }

    server.show("workspaces");
    browser.follow("main button");
    assert_eq!(browser.path(), "/business", "it begins where it was left");
}

#[test]
fn a_store_that_is_away_is_a_page_that_says_so() {
    let (server, browser) = (Server::start(&BRISK), Browser::open());
    let fay = Customer {
        browser: &browser,
        server: &server,
    };
    fay.come_to_payment("Fay", "fay@away.example", "scale");
    server.store("ALTER TABLE onramp_onboarding RENAME TO away");
    for path in ["/", "/business", "/payment", "/setup", "/dashboard"] {
        let said = answered(&browser, &format!("'{path}', {{redirect: 'manual'}}"));
        assert_eq!(said, json!([503, "2", false]), "{path}");
        fay.go(path);
        assert_eq!(browser.path(), path, "nobody is sent elsewhere");
        let text = browser.text();
        assert!(text.contains("We cannot look that up right now"), "{text}");
        assert!(
            text.contains("What you have given so far is kept"),
            "{text}"
        );
    }

    server.store("ALTER TABLE away RENAME TO onramp_onboarding");
    browser.follow("main a.button");
    assert_eq!(browser.path(), "/payment", "where she was");
}
