// What this device keeps to show offline: a private key that no script can read, and its licences, masked as they are
// shown. One record in IndexedDB; nothing of it stands in an address, a cookie or the cache.
import { unb64u } from "../offline/base64url.js";
import { ES256 } from "../offline/device_code.js";

const NAME = "ona-offline";
const STORE = "device";
const KEY = "this";

function transact(mode, deed) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode);
      const request = deed(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
    };
  });
}

export const found = () => transact("readonly", (store) => store.get(KEY));
export const forget = () => transact("readwrite", (store) => store.delete(KEY));
const keep = (record) => transact("readwrite", (store) => store.put(record, KEY));

/**
 * Let the form of /me/offline/devices fetch licences for this device's key, which is made where there is none.
 * Returns the record; null where the service wants a login first, or a stronger one.
 * @param {HTMLFormElement} form @param {string[]} licences
 */
export async function fetchLicences(form, licences) {
  const record = await found();
  const keys = record?.keys ?? (await crypto.subtle.generateKey(ES256, false, ["sign", "verify"]));
  const { x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, x, y });
  for (const licence of licences) body.append("licences", licence);
  const response = await fetch(form.action, { method: "POST", body, redirect: "manual", headers: { Accept: "application/json" } });
  if (response.type === "opaqueredirect") return null;
  if (!response.ok) throw new Error(String(response.status));
  const given = await response.json();
  const at = Date.parse(given.at);
  const fetched = {
    keys,
    device: given.device,
    at,
    seenAt: at,
    offset: at - Date.now(), // what this device's clock is wrong by; codes state the service's time
    items: given.items.map((item) => ({ ...item, credential: unb64u(item.credential) })),
  };
  await keep(fetched);
  return fetched;
}

/** Return the service's time in milliseconds as this device knows it; null where its clock was turned back. */
export async function timeNow(record) {
  const now = Date.now() + record.offset;
  if (now < record.seenAt - 60_000) return null;
  if (now > record.seenAt) await keep(Object.assign(record, { seenAt: now }));
  return now;
}

export const isFresh = (item, now) => Date.parse(item.expires_at) > now;
export const name = (item) => (document.documentElement.lang === "en" ? item.name_en : item.name);
