// LC1, the code on a paper licence, as `licences/formats/lc1.py` reads it; `docs/lc1.md` gives the claim numbers.
import * as cbor from "./cbor.js";
import * as cose from "./cose.js";
import { FIRST, isDay } from "./days.js";
import { inflateWith } from "./inflate.js";
import { Refused } from "./refused.js";

export const DICTIONARY_SHA256 = "7f4f03c3b62e07890d903b2dcfd49ccf1a69c975df669bb912914c4e5ef8d3a4";
const MAX_INFLATED = 4_096; // bytes
const [EXPIRES, ISSUED, LICENCE, STATUS, FACE] = [4, 6, 7, -1, "f"]; // 4, 6 and 7 are exp, iat and cti of RFC 8392
const CLAIMS = [EXPIRES, ISSUED, LICENCE, STATUS, FACE];
const HEAD = 6; // template, holder's name, holder's number, licence number, issuer, first day
const MAX_FIELDS = 64;
const LARGEST_SECOND = 253_402_300_799; // the end of the year 9999
const SMALLEST_SECOND = FIRST * 86_400;

const REASONS = {
  dictionary_unknown: "dictionary_unknown",
  signature: "signature_invalid",
  algorithm: "signature_invalid",
  header_refused: "signature_invalid",
  unknown_key: "issuer_unknown",
  bad_payload: "format_unknown",
};

export const reasonOf = (code) => REASONS[code] ?? "unreadable";

/** Return what a message says if one of `keys` signed it, whatever the day. */
export async function authenticate(content, keys, dictionary) {
  const message = cose.read(content);
  await cose.verify(message, keys);
  const inflated = await inflateWith(dictionary, message.payload, MAX_INFLATED);
  try {
    return paper(cbor.decode(inflated, MAX_INFLATED));
  } catch {
    throw new Refused("bad_payload");
  }
}

// One claim more, or one of another form, is refused.
function paper(claims) {
  need(claims instanceof Map && [ISSUED, LICENCE, FACE].every((claim) => claims.has(claim)));
  need([...claims.keys()].every((claim) => CLAIMS.includes(claim)));
  const face = claims.get(FACE);
  need(cbor.isBytes(claims.get(LICENCE), 8) && Array.isArray(face) && HEAD <= face.length && face.length <= HEAD + MAX_FIELDS);
  const [template, holderName, holderNumber, number, issuer, validFrom, ...values] = face;
  need(cbor.isBytes(template, 8) && isDay(validFrom));
  need(values.every((value) => value === null || ["number", "bigint", "string", "boolean"].includes(typeof value)));
  return {
    issuedAt: moment(claims.get(ISSUED)),
    expiresAt: claims.has(EXPIRES) ? moment(claims.get(EXPIRES)) : null,
    template,
    holderName: text(holderName),
    holderNumber: text(holderNumber),
    number: text(number),
    issuer: text(issuer),
    validFrom,
    values,
    status: claims.has(STATUS) ? place(claims.get(STATUS)) : null,
  };
}

function need(isSo) {
  if (!isSo) throw new Refused("bad_payload");
}

function moment(value) {
  need(Number.isInteger(value) && SMALLEST_SECOND <= value && value <= LARGEST_SECOND);
  return value;
}

function text(value) {
  need(cbor.isWhole(value) || typeof value === "string");
  return String(value);
}

// A place is big-endian and no longer than needed, so that it has one form.
function place(value) {
  need(cbor.isBytes(value) && 3 <= value.length && value.length <= 8 && (value.length === 3 || value[0] !== 0));
  return value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
