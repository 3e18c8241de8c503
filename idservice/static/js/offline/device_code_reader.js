// LD1 read and believed, or refused, as `licences/formats/device_code.py` does; `device_code.js` makes the codes.
import { b64u } from "./base64url.js";
import * as cbor from "./cbor.js";
import * as cose from "./cose.js";
import { isDay } from "./days.js";
import { audienceOf, ES256_HEADER, PREFIX, SECONDS, toBeSigned } from "./device_code.js";
import { same } from "./bytes.js";
import { asPrinted, fromBase45, MAX_TEXT } from "./lc1_text.js";
import { publicKey } from "./public_key.js";
import { Refused } from "./refused.js";

const MAX_CODE = 276; // bytes
const CLOCKS = 300; // seconds by which clocks may differ
const LATEST = 253_402_300_799; // the end of the year 9999
const FAMILY = /^LD[0-9]:/;
const [EXPIRES, HOLDS, STATUS, FACE] = [4, 8, -1, "f"];
const [AUDIENCE, MADE, NONCE] = [3, 6, 7];
const [KTY, CRV, X, Y] = [1, -1, -2, -3]; // COSE_Key, RFC 9053 section 7.1.1
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n; // of P-256, SP 800-186 section 3.2.1.3
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

const REASONS = {
  signature: "signature_invalid",
  algorithm: "signature_invalid",
  header_refused: "signature_invalid",
  unknown_key: "issuer_unknown",
  bad_key: "format_unknown",
  bad_payload: "format_unknown",
  version_unknown: "format_unknown",
};

export const reasonOf = (code) => REASONS[code] ?? "unreadable";

/** Tell whether a scanned text is meant as such a code, of whichever version. */
export const looksLike = (text) => FAMILY.test(asPrinted(text, "ld"));

/** Return the message of the issuer that a code holds, nothing of it believed. */
export const credentialOf = (text) => parts(text)[0];

/** Return what a code says if one of `keys` issued its licence and the device named there signed it. */
export async function authenticate(text, keys) {
  const [content, message] = parts(text);
  const issued = cose.read(content);
  await cose.verify(issued, keys);
  const credential = await credentialFrom(decoded(issued.payload));
  const stated = decoded(await signedByDevice(message, credential.key, content));
  need(stated instanceof Map && [MADE, NONCE].every((claim) => stated.has(claim)));
  need([...stated.keys()].every((claim) => [AUDIENCE, MADE, NONCE].includes(claim)) && cbor.isBytes(stated.get(NONCE), 8));
  need(!stated.has(AUDIENCE) || cbor.isBytes(stated.get(AUDIENCE), 4));
  return { ...credential, madeAt: moment(stated.get(MADE)), audience: stated.get(AUDIENCE) ?? null };
}

/** Return why a code is not accepted now, or undefined: see `judge_time` of the Python reader. */
export function judgeTime({ madeAt, expiresAt }, now) {
  if (madeAt - now > CLOCKS) return "clock_wrong";
  return now - madeAt > SECONDS || Math.max(now, madeAt) >= expiresAt ? "code_expired" : undefined;
}

/** Tell whether a code was made for `unit`, or for nobody in particular. */
export const isFor = async ({ audience }, unit) => audience === null || same(audience, await audienceOf(unit ?? ""));

function parts(text) {
  if (text.length > MAX_TEXT) throw new Refused("malformed");
  const printed = asPrinted(text, "ld");
  if (!printed.startsWith(PREFIX)) throw new Refused(FAMILY.test(printed) ? "version_unknown" : "malformed");
  const found = cbor.decode(fromBase45(printed.slice(PREFIX.length)), MAX_CODE);
  if (!Array.isArray(found) || found.length !== 2 || !cbor.isBytes(found[0])) throw new Refused("malformed");
  return found;
}

async function credentialFrom(claims) {
  need(claims instanceof Map && claims.size === 4 && [EXPIRES, HOLDS, STATUS, FACE].every((claim) => claims.has(claim)));
  const held = claims.get(HOLDS);
  need(held instanceof Map && held.size === 1 && held.has(1));
  const key = await keyFrom(held.get(1));
  const place = claims.get(STATUS);
  need(cbor.isBytes(place) && 3 <= place.length && place.length <= 8 && (place.length === 3 || place[0] !== 0));
  const expiresAt = moment(claims.get(EXPIRES));
  const face = claims.get(FACE);
  need(Array.isArray(face) && face.length === 4);
  const [template, holderName, numberTail, until] = face;
  need(typeof holderName === "string" && typeof numberTail === "string" && cbor.isBytes(template, 8));
  need(until === null || (isDay(until) && until >= 0));
  return { key, place: place.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n), expiresAt, template, holderName, numberTail, until };
}

// The protected header names ES256 and nothing else; the credential is signed too, as external data.
async function signedByDevice(message, key, content) {
  if (!Array.isArray(message) || message.length !== 4) throw new Refused("malformed");
  const [header, unprotected, payload, signature] = message;
  if (!cbor.isBytes(payload) || !cbor.isBytes(signature, 64)) throw new Refused("malformed");
  const isEmpty = unprotected instanceof Map && unprotected.size === 0;
  if (!cbor.isBytes(header) || !same(header, ES256_HEADER) || !isEmpty) throw new Refused("header_refused");
  if (!(await key.verify(toBeSigned(content, payload), signature))) throw new Refused("signature");
  return payload;
}

async function keyFrom(value) {
  const bad = new Refused("bad_key");
  if (!(value instanceof Map) || value.size !== 4 || value.get(KTY) !== 2 || value.get(CRV) !== 1) throw bad;
  const [bytes, isOdd] = [value.get(X), value.get(Y)];
  if (!cbor.isBytes(bytes, 32) || typeof isOdd !== "boolean") throw bad;
  const x = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const square = (x ** 3n - 3n * x + B) % P;
  const root = power((square + P) % P, (P + 1n) / 4n);
  if (x >= P || (root * root - square) % P !== 0n) throw bad;
  const y = (root & 1n) === BigInt(isOdd) ? root : P - root;
  const coordinate = Uint8Array.from({ length: 32 }, (_, place) => Number((y >> BigInt(8 * (31 - place))) & 255n));
  return publicKey({ kty: "EC", crv: "P-256", x: b64u(bytes), y: b64u(coordinate) }, "");
}

// Of public values alone: it need not take the same time for each.
function power(base, exponent) {
  let [result, factor] = [1n, base];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}

function decoded(data) {
  try {
    return cbor.decode(data);
  } catch {
    throw new Refused("bad_payload");
  }
}

function need(isSo) {
  if (!isSo) throw new Refused("bad_payload");
}

function moment(value) {
  need(Number.isInteger(value) && 0 <= value && value <= LATEST);
  return value;
}
