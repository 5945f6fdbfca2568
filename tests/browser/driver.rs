//! A headless Chromium, by the protocol that browsers are driven with (W3C WebDriver).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http;

/// How long something may take that a page does by itself.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// # Panics
    /// When Chromium or its driver is missing: a test that is left out would prove nothing.
    pub(crate) fn open() -> Self {
        let (driver, port) = driver();
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
        };
        let mut arguments = vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage"];
        arguments.extend(["--no-first-run", "--disable-background-networking"]);
        arguments.extend(["--window-size=1100,900", "--hide-scrollbars"]);
        if rustix::process::getuid().is_root() {
            arguments.push("--no-sandbox"); // which does not work for root
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let made = browser.call("POST", "/session", &wanted);
        browser.session = made["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.attempt(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn attempt(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let kind = [("content-type", "application/json")];
        let answer = http::send(self.port, method, path, &kind, &body);
        let answer = answer.map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
        match answer.status {
            200 => Ok(said["value"].clone()),
            _ => Err(format!(
                "{}: {}",
                said["value"]["error"], said["value"]["message"]
            )),
        }
    }

    fn within(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &self.within(path), body)
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    pub(crate) fn back(&self) {
        self.post("/back", &json!({}));
    }

    pub(crate) fn refresh(&self) {
        self.post("/refresh", &json!({}));
    }

    /// The path that is shown.
    pub(crate) fn path(&self) -> String {
        self.run("return location.pathname")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What a script gives, in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The same for one that takes its time: it gives a promise.
    pub(crate) fn run_async(&self, promise: &str) -> Value {
        let script =
            format!("const done = arguments[0]; ({promise}).then(done, (e) => done('' + e))");
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn chromium(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.post("/goog/cdp/execute", &body)
    }

    fn find(&self, selector: &str) -> Option<String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self
            .attempt("POST", &self.within("/element"), &wanted)
            .ok()?;
        let (_, id) = found.as_object()?.iter().next()?;
        id.as_str().map(str::to_owned)
    }

    pub(crate) fn has(&self, selector: &str) -> bool {
        self.find(selector).is_some()
    }

    /// Does something with an element, as soon as it is there and lets one.
    fn with(&self, selector: &str, what: &str, body: &Value) {
        let mut last = "it is not there".to_owned();
        let done = self.until(|| {
            let Some(id) = self.find(selector) else {
                return false;
            };
            let path = self.within(&format!("/element/{id}/{what}"));
            let done = self.attempt("POST", &path, body);
            done.map_err(|error| last = error).is_ok()
        });
        assert!(
            done,
            "{what} {selector}: {last}; on {}: {}",
            self.path(),
            self.text()
        );
    }

    pub(crate) fn click(&self, selector: &str) {
        self.with(selector, "click", &json!({}));
    }

    /// Clicks on what leads to another page, and waits until that is there.
    pub(crate) fn follow(&self, selector: &str) {
        self.run("window.wasHere = true");
        self.click(selector);
        let arrived = "return !window.wasHere && document.readyState === 'complete'";
        self.wait(selector, || self.run(arrived) == true);
    }

    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.with(selector, "clear", &json!({}));
        self.with(selector, "value", &json!({"text": text}));
    }

    /// Chooses an option by its value.
    pub(crate) fn choose(&self, selector: &str, value: &str) {
        self.click(&format!("{selector} option[value={value}]"));
    }

    pub(crate) fn text(&self) -> String {
        let text = self.run("return document.body.innerText");
        text.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn value(&self, selector: &str) -> String {
        let value = self.run(&format!(
            "return document.querySelector('{selector}').value"
        ));
        value.as_str().unwrap_or_default().to_owned()
    }

    fn until(&self, mut holds: impl FnMut() -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if holds() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        false
    }

    pub(crate) fn wait(&self, what: &str, holds: impl FnMut() -> bool) {
        let came = self.until(holds);
        assert!(
            came,
            "waited for {what} in vain; on {}: {}",
            self.path(),
            self.text()
        );
    }

    pub(crate) fn wait_for_path(&self, path: &str) {
        self.wait(path, || self.path() == path);
    }

    pub(crate) fn wait_for_text(&self, text: &str) {
        self.wait(text, || self.text().contains(text));
    }

    /// Another tab; gives its handle. The one before stays the one that is driven.
    pub(crate) fn new_tab(&self) -> String {
        let made = self.post("/window/new", &json!({"type": "tab"}));
        made["handle"].as_str().unwrap().to_owned()
    }

    pub(crate) fn this_tab(&self) -> String {
        let tab = self.call("GET", &self.within("/window"), &Value::Null);
        tab.as_str().unwrap().to_owned()
    }

    pub(crate) fn switch_to(&self, tab: &str) {
        self.post("/window", &json!({"handle": tab}));
    }

    /// What the browser has complained of since it was asked last, but for answers of our own such as 422.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let lines = log.as_array().unwrap().iter();
        let severe = lines.filter(|line| line["level"] == "SEVERE" && line["source"] != "network");
        severe.map(|line| line["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // First the browser, which the driver would leave behind.
        let _ = self.attempt("DELETE", &self.within(""), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn driver() -> (Child, u16) {
    let mut command = Command::new("chromedriver");
    let started = command
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut driver = started.unwrap_or_else(|error| {
        panic!("cannot run chromedriver: {error}; install it with `sudo apt-get install chromium chromium-driver`")
    });
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let port = line.split(" on port ").nth(1)?;
        port.trim_end_matches('.')
            .parse()
            .ok()
            .filter(|port| *port != 0)
    });
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port.expect("chromedriver says its port"))
}
