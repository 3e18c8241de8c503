// The scan page. A scanner gun is a keyboard: keep the scan box focused, let Enter submit, and clear what was shown.
const IDLE_MS = 60_000;
const form = document.querySelector("[data-scan]");
const box = form.querySelector("#text");
const file = form.querySelector("input[name=file]"); // its id goes to the button that govuk-frontend puts over it
const upload = form.querySelector("[data-upload]");
const purpose = form.querySelector("#purpose"); // none where there is no network
const answer = document.querySelector("[data-answer]");
let idle = 0;

const focusBox = () => box.focus({ preventScroll: true });
// In the choice of purpose too: a name is found by its first letters.
const takesText = () => document.activeElement.matches("input:not([type=checkbox], [type=file]), select, textarea");
const inUse = () => document.activeElement.matches("a, button, input, select, textarea, summary");

// A person's data does not stay on an unattended screen.
const armIdle = () => {
  window.clearTimeout(idle);
  idle = window.setTimeout(() => { answer.replaceChildren(); box.value = ""; }, IDLE_MS);
};

const openUpload = () => {
  upload.open = true;
  file.click();
};

// Which of the camera's buttons is to be pressed now: the one that opens it, or the one that shuts it; none without one.
const cameraButton = () =>
  ["open", "shut"].map((name) => document.querySelector(`[data-camera-${name}]`)).find((button) => button?.offsetParent);

document.addEventListener("keydown", (event) => {
  armIdle();
  if (event.key === "Escape") {
    box.value = "";
    answer.replaceChildren();
    focusBox();
  } else if (event.key === "F2") {
    event.preventDefault();
    cameraButton()?.click();
  } else if (event.key === "F3") {
    event.preventDefault();
    openUpload();
  } else if (event.key === "Enter" && event.target === box && !box.value) {
    event.preventDefault(); // some guns end with two of them: the second must not wipe the answer of the first
  } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey && !takesText()) {
    focusBox(); // the gun fires although the box has not the focus: its first character still lands there
  }
});

// Come back to the box after a click on nothing; leave fields, links and text being copied alone.
const comeBack = () => { if (!inUse() && !window.getSelection().toString()) focusBox(); };
document.addEventListener("click", comeBack);
window.addEventListener("focus", comeBack);

// Chosen by the mouse, the purpose hands the focus on: the gun must not type into it. By the keyboard one walks on through it.
let byMouse = false;
purpose?.addEventListener("pointerdown", () => { byMouse = true; });
purpose?.addEventListener("keydown", () => { byMouse = false; });
purpose?.addEventListener("change", () => { if (byMouse) focusBox(); });

file.addEventListener("change", () => { if (file.files.length) form.requestSubmit(); });

armIdle();
focusBox();
