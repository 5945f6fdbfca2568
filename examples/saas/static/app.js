// The pages work without this. With it they change by themselves: the server says that something has
// happened, and the page is asked for again, so that the server alone knows what a page looks like.
"use strict";

const live = () => document.querySelector("[data-live]");

// Asks for the page again and puts its content in place; follows when it is another page's turn.
async function renew() {
  const here = live();
  if (!here) return;
  let answer;
  try {
    answer = await fetch(here.dataset.live, { credentials: "same-origin" });
  } catch {
    return; // The server is away: what is shown is kept, and the next event comes when it is back.
  }
  if (answer.redirected) return location.replace(answer.url);
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = next.querySelector("main");
  if (!next.querySelector("[data-live]")) return location.reload();
  // Nothing is touched that has not changed, so that focus and screen readers stay where they are.
  morph(document.querySelector("main"), fresh);
  document.title = next.title;
}

// Makes one element like another: attributes, texts, children, in place where it can.
function morph(now, fresh) {
  for (const { name } of [...now.attributes]) if (!fresh.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  const [old, young] = [[...now.childNodes], [...fresh.childNodes]];
  young.forEach((child, at) => {
    const was = old[at];
    if (!was) now.append(child);
    else if (was.nodeType !== child.nodeType || was.nodeName !== child.nodeName) was.replaceWith(child);
    else if (child.nodeType === Node.TEXT_NODE) {
      if (was.data !== child.data) was.data = child.data;
    } else morph(was, child);
  });
  old.slice(young.length).forEach((child) => child.remove());
}

// Shows how far the step under way is, without asking for the page.
function count(working) {
  const part = document.querySelector(`[data-step="${CSS.escape(working.step)}"] .part`);
  if (!part) return;
  part.hidden = false;
  const bar = part.querySelector("progress");
  [bar.max, bar.value] = [working.of, working.done];
  part.querySelector(".count").textContent = `${working.done} of ${working.of}`;
}

// Events come in bursts, the first one with everything since the beginning: one look is enough.
let soon = 0;
function later() {
  clearTimeout(soon);
  soon = setTimeout(renew, 60);
}

let source = null;
function listen() {
  if (source || !live()) return;
  source = new EventSource("/api/onboarding/events");
  source.addEventListener("progress", later);
  source.addEventListener("end", later);
  source.addEventListener("working", (event) => count(JSON.parse(event.data)));
  source.addEventListener("open", later);
}

function hush() {
  if (source) source.close();
  source = null;
}

listen();
addEventListener("pagehide", hush);
// Browsers keep whole pages for the back button: such a copy may be of another day.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
// A form that is sent twice by a double click is sent once.
addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
