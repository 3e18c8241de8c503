// The address on a paper licence carries its code after "#", which no browser sends. Put it into the box, for a person to
// send or not, and out of the address bar and the history.
const digits = /^#([0-9]+)$/.exec(window.location.hash);
if (digits) {
  const box = document.querySelector("#text");
  box.value = `${window.location.origin.toUpperCase()}/V#${digits[1]}`;
  window.history.replaceState(null, "", window.location.pathname);
  box.form.querySelector("button.govuk-button[type=submit]").focus();
}
