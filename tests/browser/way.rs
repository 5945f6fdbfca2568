//! What a customer does, step by step.

use crate::driver::Browser;
use crate::server::Server;

/// A customer in front of a browser.
pub(crate) struct Customer<'a> {
    pub(crate) browser: &'a Browser,
    pub(crate) server: &'a Server,
}

impl Customer<'_> {
    pub(crate) fn go(&self, path: &str) {
        self.browser.go(&self.server.url(path));
    }

    pub(crate) fn sign_up(&self, name: &str, email: &str) {
        self.go("/sign-up");
        self.browser.fill("#name", name);
        self.browser.fill("#email", email);
        self.browser.follow("main button");
        self.follow_mail();
    }

    pub(crate) fn sign_in(&self, email: &str) {
        self.go("/sign-in");
        self.browser.fill("#email", email);
        self.browser.follow("main button");
        self.follow_mail();
    }

    /// The mail is on the page that is shown.
    pub(crate) fn follow_mail(&self) {
        self.browser.follow("#mailed-link");
        self.browser.follow("main button");
    }

    pub(crate) fn sign_out(&self) {
        self.browser.follow("header form button");
        assert_eq!(self.browser.path(), "/sign-in");
    }

    pub(crate) fn fill_in_business(&self) {
        self.browser.fill("#currency", "INR");
        self.browser.fill("#time_zone", "Asia/Kolkata");
        self.browser.choose("#region", "eu");
    }

    pub(crate) fn give_business(&self) {
        self.fill_in_business();
        self.browser.follow("button[value=go]");
        assert_eq!(self.browser.path(), "/plan");
    }

    pub(crate) fn choose_plan(&self, plan: &str) {
        self.browser.click(&format!("input[value={plan}]"));
        self.browser.follow("main button");
        assert_eq!(self.browser.path(), "/payment");
    }

    /// Pays at the provider; the shop hears of it in some manner.
    pub(crate) fn pay(&self, manner: &str) {
        self.browser.follow("main button");
        self.browser.click(&format!("input[value={manner}]"));
        self.browser.follow("button[value=pay]");
    }

    /// From sign-up to the payment page.
    pub(crate) fn come_to_payment(&self, name: &str, email: &str, plan: &str) {
        self.sign_up(name, email);
        self.give_business();
        self.choose_plan(plan);
    }

    /// Nothing of the page is outside of the window, and everything in it has a name.
    pub(crate) fn check_page(&self) {
        let found = self.browser.run(CHECK);
        let path = self.browser.path();
        assert_eq!(found, serde_json::json!([]), "what is wrong with {path}");
    }
}

/// What is wrong with a page, in words.
const CHECK: &str = r#"
const wrong = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) wrong.push(`is ${root.scrollWidth - root.clientWidth} px too wide`);
if (!root.lang) wrong.push("has no language");
if (document.querySelectorAll("h1").length !== 1) wrong.push("has not one first heading");
if (!document.querySelector("main")) wrong.push("has no main part");
for (const it of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
  if (!it.labels.length) wrong.push(`${it.name || it.id} has no label`);
for (const it of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
  for (const id of `${it.getAttribute("aria-describedby") || ""} ${it.getAttribute("aria-labelledby") || ""}`.trim().split(/ +/))
    if (!document.getElementById(id)) wrong.push(`nothing is called ${id}`);
for (const it of document.querySelectorAll("progress, meter"))
  if (it.tagName === "PROGRESS" && !it.ariaLabel) wrong.push("a bar has no label");
for (const it of document.querySelectorAll("a, button")) if (!it.innerText.trim()) wrong.push("something to click has no name");
for (const it of document.querySelectorAll("img")) if (!it.hasAttribute("alt")) wrong.push("an image has no text");
const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
if (new Set(ids).size !== ids.length) wrong.push("two things have one name");
// Contrast (WCAG 2.2, 1.4.3): 4.5 to 1 for every text on the ground behind it.
const parse = (color) => color.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
const ground = (it) => {
  for (; it; it = it.parentElement) {
    const color = parse(getComputedStyle(it).backgroundColor);
    if (color[3] !== 0) return color;
  }
  return [255, 255, 255];
};
const dim = new Set();
for (const it of document.querySelectorAll("body *")) {
  const says = [...it.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  if (!says || !it.checkVisibility()) continue;
  const [a, b] = [light(parse(getComputedStyle(it).color)), light(ground(it))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) dim.add(`${it.tagName} ${it.className} has a contrast of ${contrast.toFixed(1)}`);
}
return wrong.concat([...dim]);
"#;
