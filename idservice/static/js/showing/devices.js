// /me/offline/devices: give this device licences to show offline, and tell it from the others on the list.
import { fetchLicences, forget, found } from "./device.js";

const form = document.querySelector("form[data-enrol]");
const failed = document.querySelector("[data-failed]");
const rows = [...document.querySelectorAll("[data-device]")];

async function enrol() {
  const licences = new FormData(form).getAll("licences").map(String);
  failed.hidden = licences.length > 0;
  if (!licences.length) return;
  if (await fetchLicences(form, licences)) location.assign(form.dataset.next);
  else form.submit(); // the service leads to a login, and back here
}

async function mark() {
  const record = await found();
  if (!record) return;
  const row = rows.find((one) => one.dataset.device === record.device);
  if (!row) await forget(); // it was ended, here or elsewhere, or its week is over: a new key for a new beginning
  (row?.querySelector("[data-this]") ?? document.querySelector("[data-forgotten]")).hidden = false;
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  enrol().catch(() => (failed.hidden = false));
});
mark().catch(() => undefined);
