// Checking a file: a large one shows how far its upload is. Without this script the form is sent as any other.
const LARGE = 512 * 1024;

function answered(request, form) {
  const found = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("main");
  const main = document.querySelector("main");
  if (!found || !main) { form.submit(); return; }
  main.replaceWith(found);
  document.title = request.responseXML?.title || document.title;
  found.focus();
  window.scrollTo(0, 0);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-seal-verify]");
  const size = form ? [...form.querySelectorAll("input[type=file]")].reduce((sum, field) => sum + (field.files[0]?.size || 0), 0) : 0;
  if (size < LARGE) return;
  event.preventDefault();
  const status = form.querySelector("[data-seal-status]");
  const label = status.querySelector("label"), progress = status.querySelector("progress");
  const request = new XMLHttpRequest();
  label.textContent = label.dataset.sending;
  status.hidden = false;
  form.querySelector("button").disabled = true;
  request.upload.addEventListener("progress", (sent) => {
    progress.value = sent.lengthComputable ? 100 * sent.loaded / sent.total : 0;
  });
  request.upload.addEventListener("load", () => {
    label.textContent = label.dataset.checking;
    progress.removeAttribute("value");
  });
  request.addEventListener("load", () => answered(request, form));
  request.addEventListener("error", () => form.submit());
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
});
