// /me/offline: codes that this device signs itself, a new one every half minute, only while somebody looks.
import { audienceOf, SECONDS, sign } from "../offline/device_code.js";
import { fetchLicences, found, isFresh, name, timeNow } from "./device.js";
import { draw } from "./symbol.js";

const RENEW_MS = 30_000;
const SCOPE = "/me/offline";
const DEVICES = "/me/offline/devices";
const HALF_MS = 3.5 * 24 * 3_600_000; // of a licence's week: from then on it is fetched anew where there is a network
const page = document.querySelector("[data-offline]");
const part = (label) => page.querySelector(`[data-${label}]`);
const [none, choice, shown, wrong, over] = ["none", "choice", "shown", "wrong", "over"].map(part);
const clock = new Intl.DateTimeFormat("zh-CN", { timeStyle: "medium", timeZone: "Asia/Shanghai", hour12: false });
let record = null;
let item = null;
let made = 0; // when the code on the screen was made, by this page's own clock

const only = (section) => { for (const one of [none, choice, shown, wrong]) one.hidden = one !== section; };

function list() {
  const box = part("list");
  box.replaceChildren(...record.items.map((one) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "govuk-button";
    button.textContent = name(one);
    button.addEventListener("click", () => { item = one; show().catch(fail); });
    return button;
  }));
  only(choice);
}

async function show() {
  const now = await timeNow(record);
  if (now === null) { stop(); only(wrong); return; }
  part("name").textContent = name(item);
  over.hidden = isFresh(item, now);
  only(shown);
  if (!over.hidden) { part("symbol").replaceChildren(); return; }
  const unit = part("unit").value.trim().toUpperCase();
  const audience = unit ? await audienceOf(unit) : undefined;
  const code = await sign(item.credential, record.keys.privateKey, Math.floor(now / 1000), audience);
  if (document.visibilityState !== "visible") return; // drawn when somebody looks again
  draw(part("symbol"), code);
  made = performance.now();
  tick();
}

function tick() {
  if (shown.hidden) return;
  part("clock").textContent = clock.format(new Date(Date.now() + record.offset));
  const age = performance.now() - made;
  if (document.visibilityState === "visible" && over.hidden && age >= RENEW_MS) { show().catch(fail); return; }
  const seconds = Math.max(0, SECONDS - age / 1000);
  part("left").textContent = part("left").dataset.text.replace("{n}", String(Math.ceil(seconds)));
  part("ring").setAttribute("stroke-dashoffset", String(100 - (100 * seconds) / SECONDS));
}

/** Take the code off the screen: what nobody looks at is not to be photographed. */
function stop() {
  part("symbol").replaceChildren();
  made = -RENEW_MS;
}

function fail() {
  stop();
  part("failed").hidden = false;
}

/** Fetch the licences anew through the form of the page of devices, where somebody is logged in and the week is half over. */
async function renew() {
  if (!navigator.onLine || record.items.every((one) => Date.parse(one.expires_at) - Date.now() - record.offset > HALF_MS)) return;
  const response = await fetch(DEVICES, { redirect: "manual" });
  if (!response.ok) return;
  const form = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("form[data-enrol]");
  if (!form || ![...form.ownerDocument.querySelectorAll("[data-device]")].some((one) => one.dataset.device === record.device)) return;
  const offered = new Set([...form.querySelectorAll("input[name=licences]")].map((box) => box.value));
  const held = record.items.map((one) => one.licence).filter((licence) => offered.has(licence)); // what has ended is left out
  if (held.length) record = (await fetchLicences(form, held)) ?? record;
  item = record.items.find((one) => one.licence === item?.licence) ?? null;
}

async function start() {
  record = await found();
  if (!record) { only(none); return; }
  list();
  await renew().catch(() => undefined); // another day, or by hand: the codes go on until the week is over
  if (!item) list(); // what is on the screen stays there
}

if (new URLSearchParams(location.search).get("size") === "large") document.documentElement.classList.add("ona-large");
part("back").addEventListener("click", () => {
  stop();
  item = null;
  list();
});
document.addEventListener("visibilitychange", () => {
  if (!item || shown.hidden) return;
  if (document.visibilityState === "visible") show().catch(fail);
  else stop();
});
window.setInterval(tick, 1000);
if (page.dataset.worker) navigator.serviceWorker?.register(page.dataset.worker, { scope: SCOPE }).catch(() => undefined); // absent on plain http
navigator.wakeLock?.request("screen").catch(() => undefined);
start().catch(() => only(none));
