// Applying for a seal: the picture follows the form. Without this script the button "refresh" draws it.
const form = document.querySelector("[data-seal-design]");
const picture = document.querySelector("[data-seal-picture]");
const FIELDS = ["department", "kind", "rank", "special", "number", "code"];  // nothing of these is personal data
let waiting;

function draw() {
  const query = new URLSearchParams();
  for (const name of FIELDS) {
    const value = form.elements[name].value.trim();
    if (value) query.set(name, value);
  }
  const next = new Image();
  next.onload = () => { picture.src = next.src; };  // what cannot be drawn yet leaves the last picture
  next.src = `/seals/preview.svg?${query}`;
}

if (form && picture) {
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 250);
  });
}
