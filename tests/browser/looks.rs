//! How the pages look: on a phone, on a desk, in a dark room. With `ONRAMP_SCREENSHOTS=FOLDER` each is also
//! kept as a picture.

use std::path::PathBuf;

use serde_json::json;

use crate::driver::Browser;
use crate::server::Server;
use crate::way::Customer;

/// Width of the window, and whether the room is dark.
const LOOKS: [(&str, u32, &str); 3] = [
    ("light", 1100, "light"),
    ("dark", 1100, "dark"),
    ("phone", 360, "dark"),
];

/// Looks at the page that is shown in every way.
struct Viewer<'a> {
    customer: Customer<'a>,
    pictures: Option<PathBuf>,
}

impl Viewer<'_> {
    fn look(&self, name: &str) {
        let browser = self.customer.browser;
        for (look, width, scheme) in LOOKS {
            dress(browser, width, scheme);
            self.customer.check_page();
            let ground = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]";
            let ground = browser.run(ground).as_u64().unwrap();
            assert_eq!(ground < 64, scheme == "dark", "{name} in {look}");
            if let Some(folder) = &self.pictures {
                keep(browser, &folder.join(format!("{name}-{look}.png")));
            }
        }
    }
}

fn dress(browser: &Browser, width: u32, scheme: &str) {
    let size = json!({"width": width, "height": 760, "deviceScaleFactor": 1, "mobile": false});
    browser.chromium("Emulation.setDeviceMetricsOverride", &size);
    let room = json!({"features": [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]});
    browser.chromium("Emulation.setEmulatedMedia", &room);
}

fn keep(browser: &Browser, file: &std::path::Path) {
    use base64::Engine;
    let height = browser.run("return document.documentElement.scrollHeight");
    let width = browser.run("return document.documentElement.clientWidth");
    let whole = json!({"captureBeyondViewport": true, "clip": {
        "x": 0, "y": 0, "width": width, "height": height, "scale": 1,
    }});
    let picture = browser.chromium("Page.captureScreenshot", &whole);
    let picture = picture["data"].as_str().unwrap();
    let picture = base64::engine::general_purpose::STANDARD
        .decode(picture)
        .unwrap();
    std::fs::write(file, picture).unwrap();
}

#[test]
fn every_page_fits_a_phone_and_a_dark_room() {
    let arguments = [
        "--pace",
        "250",
        "--fail",
        "issue_api_key",
        "--stuck-after",
        "0",
    ];
    let (server, browser) = (Server::start(&arguments), Browser::open());
    let customer = Customer {
        browser: &browser,
        server: &server,
    };
    let pictures = std::env::var_os("ONRAMP_SCREENSHOTS").map(PathBuf::from);
    let viewer = Viewer { customer, pictures };
    let Viewer { customer: kim, .. } = &viewer;

    kim.go("/sign-in");
    viewer.look("sign-in");
    kim.go("/sign-up");
    viewer.look("sign-up");
    browser.follow("main button");
    viewer.look("sign-up-again");
    browser.fill("#name", "Kim-Philippa Featherstonehaugh");
    browser.fill(
        "#email",
        "kim-philippa.featherstonehaugh@donaudampfschifffahrtsgesellschaft.example",
    );
    browser.follow("main button");
    viewer.look("mail");
    browser.follow("#mailed-link");
    viewer.look("link");
    browser.follow("main button");
    viewer.look("business");
    browser.fill("#time_zone", "Mars/Olympus_Mons");
    browser.follow("button[value=go]");
    viewer.look("business-again");
    kim.give_business();
    viewer.look("plan");
    kim.choose_plan("professional");
    viewer.look("payment");
    browser.follow("main button");
    viewer.look("testpay");
    browser.follow("button[value=decline]");
    viewer.look("payment-declined");
    browser.follow("main button");
    browser.click("input[value=late]");
    browser.follow("button[value=pay]");
    viewer.look("payment-waits");
    browser.wait_for_path("/setup");
    browser.wait_for_text(" of 8");
    viewer.look("setup");
    browser.wait("the failure", || browser.has("form[action='/setup/retry']"));
    viewer.look("failed");
    kim.go("/operator/sign-in");
    viewer.look("operator-sign-in");
    browser.fill("#code", &server.code);
    browser.follow("main button");
    viewer.look("operator");
    browser.follow("section[aria-labelledby=customers] a");
    viewer.look("explain");
    kim.go("/setup");
    browser.follow("main button");
    browser.wait_for_path("/dashboard");
    viewer.look("dashboard");
    browser.follow("form[action='/key'] button");
    viewer.look("key-offered");
    browser.follow("form[action='/key/reveal'] button");
    viewer.look("key");
    kim.go("/dashboard");
    viewer.look("dashboard-later");
    kim.go("/outbox");
    viewer.look("outbox");
    kim.go("/nowhere");
    viewer.look("absent");
}
