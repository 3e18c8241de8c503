// The shown code: count down on the page's own clock (a phone's may be wrong), keep the screen awake, renew while watched.
const AUTO_RENEWALS = 5; // a forgotten page must not make codes for ever
const POLL_MS = 3_000;
const page = document.querySelector(".ona-show");
const part = (name) => page.querySelector(`[data-${name}]`);
const ring = part("ring");
const left = part("left");
const total = Number(page.dataset.seconds);
const opened = performance.now();
const clock = new Intl.DateTimeFormat("zh-CN", { timeStyle: "medium", timeZone: "Asia/Shanghai", hour12: false });

// Left by the page that renewed itself into this one; a page that was opened by hand begins anew.
const renewals = Number(sessionStorage.getItem("renewals") ?? 0);
sessionStorage.removeItem("renewals");

const remaining = () => Math.max(0, total - (performance.now() - opened) / 1000);

function renew() {
  if (document.visibilityState !== "visible" || !part("seen").hidden || renewals >= AUTO_RENEWALS) return;
  sessionStorage.setItem("renewals", String(renewals + 1));
  page.querySelector("[data-refresh]").requestSubmit();
}

function tick() {
  const seconds = remaining();
  part("clock").textContent = clock.format(new Date());
  left.textContent = left.dataset.text.replace("{n}", String(Math.ceil(seconds)));
  ring.setAttribute("stroke-dashoffset", String(100 - (100 * seconds) / total));
  ring.classList.toggle("is-short", seconds <= 10);
  if (seconds > 0) return;
  window.clearInterval(timer);
  part("over").hidden = !part("used").hidden;
  renew();
}

async function askWhoSaw() {
  if (document.visibilityState !== "visible" || !part("seen").hidden) return;
  const response = await fetch(page.dataset.stateUrl, { headers: { Accept: "application/json" } });
  const { shown_to: seen } = response.ok ? await response.json() : {};
  if (!seen) return;
  part("seen-unit").textContent = seen.unit;
  part("seen-at").textContent = clock.format(new Date(seen.at));
  part("seen").hidden = part("used").hidden = false;
}

const timer = window.setInterval(tick, 1000);
tick();
document.addEventListener("visibilitychange", () => {
  if (remaining() <= 0) renew(); // it ran out while he looked at something else
});
if (page.dataset.stateUrl) window.setInterval(() => askWhoSaw().catch(() => undefined), POLL_MS);
navigator.wakeLock?.request("screen").catch(() => undefined); // absent on plain http and on old phones
