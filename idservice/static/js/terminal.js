// The terminal: what a person left on the screen is cleared after a minute without a touch, typed text and language too.
const HOME = "/terminal";
const OWN = "terminal-language"; // the one it was started in
const SHOW_CODE = /[0-9A-Z]{26}$/i;
const page = document.querySelector("[data-terminal]");
const box = page.querySelector("#text");
const purpose = page.querySelector("#purpose");
let idle = 0;

const focusBox = () => box.focus({ preventScroll: true });
const writesText = () => document.activeElement.matches("input");
const inUse = () => writesText() || document.activeElement.matches("a, button");

const language = document.documentElement.lang === "en" ? "en" : "zh";
const own = window.sessionStorage.getItem(OWN) ?? language;
window.sessionStorage.setItem(OWN, own);
const home = language === own ? HOME : `${HOME}?lang=${own}`;

const arm = () => {
  window.clearTimeout(idle);
  idle = window.setTimeout(() => window.location.replace(home), Number(page.dataset.terminal) * 1000);
};

// A scanner gun types: what nothing else would take lands in the box. A touch of nothing leads there too.
if (box) {
  document.addEventListener("click", () => { if (!inUse()) focusBox(); });
  document.addEventListener("keydown", (event) => {
    const isText = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isText && !writesText()) focusBox();
  });
}

// Whoever has just typed what the copy is for may scan without touching the box before.
purpose?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const [code] = purpose.value.match(SHOW_CODE) ?? [];
  if (code) {
    box.value = code;
    purpose.value = purpose.value.slice(0, -code.length);
    box.form.requestSubmit();
  } else focusBox();
});

// While the first page waits untouched it stays as it is.
if (!box || window.location.pathname !== HOME || home !== HOME) arm();
for (const touched of ["pointerdown", "keydown"]) document.addEventListener(touched, arm);
