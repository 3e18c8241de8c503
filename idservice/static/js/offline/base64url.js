// Base64url without padding, RFC 4648 section 5 as JOSE uses it: one byte string has exactly one accepted text.
import { Refused } from "./refused.js";

const LAST = { 2: /[AQgw]$/, 3: /[AEIMQUYcgkosw048]$/ }; // whose left-over bits are zero, by the length modulo 4

/** @param {string} text @returns {Uint8Array} */
export function unb64u(text) {
  const left = text.length % 4;
  if (left === 1 || /[^\w-]/.test(text) || (left && !LAST[left].test(text))) throw new Refused("malformed");
  const characters = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = new Uint8Array(characters.length);
  for (let place = 0; place < bytes.length; place += 1) bytes[place] = characters.charCodeAt(place);
  return bytes;
}

/** @param {Uint8Array} bytes @returns {string} */
export const b64u = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
