// A scan page that judges by itself: what was scanned stays on the device. Only what needs the register (a show code, an
// identifier, a file that is no picture) goes to the server, and only where the form has one to go to. A browser that
// lacks something keeps the form as it is without this script.
import { readPicture } from "../reader.js";
import { drawn } from "./answer.js";
import { Lists } from "./lists.js";
import { canJudge, verify } from "./verify.js";

const REFRESH_MS = 60_000;
const panel = document.querySelector("[data-offline]");
const form = document.querySelector("[data-scan]");
const box = form.querySelector("#text");
const file = form.querySelector("input[name=file]");
const place = document.querySelector("[data-answer]");
const hasServer = form.hasAttribute("action");
const lists = new Lists(panel.dataset.pins.split(" ").filter(Boolean));
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Shanghai" });
const ago = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

const now = () => Date.now() / 1_000;

function aged(seconds) {
  if (seconds < 3_600) return ago.format(-Math.max(0, Math.floor(seconds / 60)), "minute");
  if (seconds < 172_800) return ago.format(-Math.floor(seconds / 3_600), "hour");
  return ago.format(-Math.floor(seconds / 86_400), "day");
}

/** Return the sentence of a panel's attribute, with the lists' time and age in it. */
function said(name, at) {
  const text = panel.dataset[name];
  return at === null ? text : text.replace("{time}", clock.format(at * 1_000)).replace("{age}", aged(now() - at));
}

function sayAge() {
  const { at, state } = lists.age(now());
  const line = panel.querySelector("[data-lists]");
  line.textContent = said(state, at);
  line.className = `ona-lists ona-lists--${state}`;
  panel.querySelector("[data-signed-by]").textContent = lists.relied?.bundle.signedBy ?? "";
  panel.querySelector("[data-root]").hidden = !lists.relied;
}

async function refresh() {
  if (!navigator.onLine || document.visibilityState !== "visible") return;
  await lists.refresh().catch(() => undefined); // no network after all, or nothing to believe: the age says the rest
  sayAge();
}

async function answer(text) {
  if (!lists.relied) await first;
  if (!lists.relied) {
    show({ reasons: ["status_stale"], checks: [], licence: null }, new Map());
    return;
  }
  const report = await verify(text, lists.relied, now());
  show(report, lists.relied.bundle.templates);
}

function show(report, templates) {
  const basis = document.createElement("p");
  const { at, state } = lists.age(now());
  basis.className = `ona-lists ona-lists--${state === "fresh" && !navigator.onLine ? "gone" : state}`;
  basis.textContent = at === null ? said(state, at) : said(navigator.onLine ? "basis" : "basisOffline", at);
  place.replaceChildren(drawn(report, templates, basis));
  const again = panel.querySelector("[data-again]");
  if (again && navigator.onLine) place.firstElementChild.append(again.content.cloneNode(true));
  if (performance.getEntriesByName("ona-scan").length) performance.measure("ona-answer", "ona-scan");
  performance.clearMarks("ona-scan");
  document.dispatchEvent(new Event("ona-answer"));
  place.scrollIntoView({ block: "nearest" });
  if (hasServer) return; // what was scanned may still be sent
  box.value = file.value = "";
  box.focus();
}

async function scanned() {
  if (box.value.trim() || !file.files.length) return box.value.trim();
  return (await readPicture(file.files[0]).catch(() => null)) ?? "";
}

async function act() {
  const text = await scanned();
  if (hasServer && navigator.onLine && !canJudge(text)) form.submit();
  else await answer(text).catch(() => show({ reasons: ["unreadable"], checks: [], licence: null }, new Map()));
}

// The address on a paper licence carries its code after "#", which no browser sends. It is judged, and taken out of the
// address bar and the history.
function fromAddress() {
  const digits = /^#([0-9]+)$/.exec(window.location.hash);
  if (!digits) return;
  box.value = `${window.location.origin.toUpperCase()}/V#${digits[1]}`;
  window.history.replaceState(null, "", panel.dataset.home);
  if (isAble) act();
  else form.querySelector("button.govuk-button[type=submit]").focus();
}

const isAble = window.isSecureContext && "caches" in window && "DecompressionStream" in window;
const first = isAble ? lists.load().then(sayAge).then(refresh) : null;
fromAddress();
if (isAble) {
  panel.hidden = false;
  form.addEventListener("submit", (event) => {
    if (event.submitter?.matches("[data-online]")) return; // asked to send it: the register knows more
    event.preventDefault();
    act();
  });
  for (const button of form.querySelectorAll("[data-needs-script]")) button.disabled = false;
  window.addEventListener("online", refresh);
  window.setInterval(refresh, REFRESH_MS);
  window.setInterval(sayAge, REFRESH_MS);
}
