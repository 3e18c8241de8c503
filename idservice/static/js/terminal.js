// The terminal: what a person left on the screen is cleared after a minute without a touch, typed text too.
const page = document.querySelector("[data-terminal]");
const box = page.querySelector("#text");
let idle = 0;

const arm = () => {
  window.clearTimeout(idle);
  idle = window.setTimeout(() => window.location.replace("/terminal"), Number(page.dataset.terminal) * 1000);
};

// While it waits it stays as it is: only what was typed goes.
if (box) {
  document.addEventListener("click", () => box.focus({ preventScroll: true }));
  box.addEventListener("input", () => {
    window.clearTimeout(idle);
    idle = window.setTimeout(() => { box.value = ""; }, Number(page.dataset.terminal) * 1000);
  });
} else {
  arm();
  for (const touched of ["pointerdown", "keydown"]) document.addEventListener(touched, arm);
}
