// Passkeys (Web Authentication Level 3): hand the form's options to the browser, and its answer to the form.
const fromText = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const named = (list) => (list ?? []).map((one) => ({ ...one, id: fromText(one.id) }));

function read(kind, json) {
  const publicKey = { ...json, challenge: fromText(json.challenge) };
  if (kind === "get") return { ...publicKey, allowCredentials: named(json.allowCredentials) };
  return { ...publicKey, user: { ...json.user, id: fromText(json.user.id) }, excludeCredentials: named(json.excludeCredentials) };
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response,
  });
}

async function act(form) {
  const kind = form.dataset.passkey;
  const publicKey = read(kind, JSON.parse(form.dataset.options));
  form.elements.credential.value = written(await navigator.credentials[kind]({ publicKey }));
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    act(form).catch(() => (failed.hidden = false));
  });
}
