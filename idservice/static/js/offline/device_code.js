// LD1, the code that a device signs itself (`licences/formats/device_code.py`, docs/device-codes.md): the issuer's
// minimal licence, then time and nonce signed with the device's key, the licence as external data (RFC 9052, 4.3).
import { encodedBytes } from "./cbor.js";
import { joined, sha256, utf8 } from "./bytes.js";

export const PREFIX = "LD1:";
export const SECONDS = 60; // a code is accepted for so long
export const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
export const ES256_HEADER = Uint8Array.of(0xa1, 0x01, 0x26); // {1: -7}
const CONTEXT = joined(Uint8Array.of(0x84, 0x6a), utf8("Signature1"));
const [NONCE_BYTES, AUDIENCE_BYTES] = [8, 4];

/** Return bytes in base45 (RFC 9285). @param {Uint8Array} bytes */
export function base45(bytes) {
  let text = "";
  for (let place = 0; place < bytes.length; place += 2) {
    const pair = place + 1 < bytes.length;
    let value = pair ? bytes[place] * 256 + bytes[place + 1] : bytes[place];
    for (let digit = 0; digit < (pair ? 3 : 2); digit += 1) {
      text += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return text;
}

/** Return the Sig_structure of the device's message for a credential. */
export const toBeSigned = (credential, payload) =>
  joined(CONTEXT, encodedBytes(ES256_HEADER), encodedBytes(credential), encodedBytes(payload));

/** Return the bytes by which a code is meant for one unit alone. @param {string} unit credit code or client id */
export const audienceOf = async (unit) => (await sha256(utf8(`LD1 audience\0${unit}`))).slice(0, AUDIENCE_BYTES);

/**
 * Return the text of a new code.
 * @param {Uint8Array} credential the issuer's message @param {CryptoKey} key the device's own private key
 * @param {number} seconds the time, Unix @param {Uint8Array} [audience] of `audienceOf`
 */
export async function sign(credential, key, seconds, audience) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const payload = stated(seconds, nonce, audience);
  const signature = new Uint8Array(await crypto.subtle.sign(ES256, key, toBeSigned(credential, payload)));
  const message = joined(Uint8Array.of(0x84), encodedBytes(ES256_HEADER), Uint8Array.of(0xa0), encodedBytes(payload));
  const code = joined(Uint8Array.of(0x82), encodedBytes(credential), message, encodedBytes(signature));
  return PREFIX + base45(code);
}

/** Return the claims in the order of deterministic CBOR: aud (3), iat (6), cti (7). */
function stated(seconds, nonce, audience) {
  const time = new Uint8Array(5);
  time[0] = 0x1a; // an unsigned integer of four bytes: until the year 2106
  new DataView(time.buffer).setUint32(1, seconds);
  const claims = [Uint8Array.of(6), time, Uint8Array.of(7), encodedBytes(nonce)];
  if (audience) claims.unshift(Uint8Array.of(3), encodedBytes(audience));
  return joined(Uint8Array.of(0xa0 | (claims.length / 2)), ...claims);
}
