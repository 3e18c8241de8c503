// The trust bundle, as `licences/trust/bundle.py` reads it: what a verifier needs before it goes offline. It is signed
// with a key of its own that stands among its keys as `trust` and is compared with a pin, or with the bundle held before.
import { b64u, unb64u } from "./base64url.js";
import { hex, sha256 } from "./bytes.js";
import * as jws from "./jws.js";
import { publicKey } from "./public_key.js";
import { Refused } from "./refused.js";
import { isMoment, readJwt } from "./status_list.js";

export const LICENCE = "licence";
export const LICENCE_SM2 = "licence-sm2";
const TRUST = "trust";
const TYPE = "trust-bundle+jwt";
const MAX_BUNDLE = 2 * 1024 * 1024; // characters

/** Return the full thumbprint of a key (RFC 7638, SHA-256, base64url). */
const pin = (key) => b64u(key.thumbprint);

/** Return the thumbprints by which a later bundle may be signed. */
export const pinsOf = (bundle) => [...bundle.keys[TRUST].values()].map(pin);

/**
 * Return what a bundle says, whatever the day.
 * @param {string} text
 * @param {string[]} pins thumbprints of the keys that are trusted
 * @param {object?} former the bundle held until now: its `trust` keys are trusted too, and nothing older is taken
 */
export async function read(text, pins, former = null) {
  const token = text.trim();
  if (token.length > MAX_BUNDLE) throw new Refused("too_large");
  const key = await ownKey(token);
  if (![...pins, ...(former ? pinsOf(former) : [])].includes(pin(key))) throw new Refused("not_pinned");
  const { payload } = await jws.decode(token, new Map([[key.kid, key]]), [TYPE], MAX_BUNDLE);
  let bundle;
  try {
    bundle = await stated(payload, pin(key));
  } catch {
    throw new Refused("not_a_bundle");
  }
  if (former && (bundle.issuer !== former.issuer || bundle.sequence < former.sequence)) throw new Refused("older");
  return bundle;
}

// The key that a bundle names as its signer's, not believed yet: there is nothing else to look it up in.
async function ownKey(token) {
  try {
    const [head, body] = token.split(".");
    const { kid } = jws.object(head, 3, "malformed");
    const named = jws.object(body, 16, "malformed").keys.filter((entry) => entry.use === TRUST && entry.kid === kid);
    need(named.length === 1);
    return await publicKey(named[0].jwk, kid);
  } catch {
    throw new Refused("not_a_bundle");
  }
}

async function stated(payload, signedBy) {
  const revoked = new Set(payload.revoked_keys.map((entry) => text(entry.kid)));
  const keys = { [LICENCE]: new Map(), [LICENCE_SM2]: new Map(), [TRUST]: new Map() };
  for (const { kid, use, jwk } of payload.keys) {
    if (!revoked.has(kid)) (keys[text(use)] ??= new Map()).set(text(kid), await publicKey(jwk, kid));
  }
  const lists = new Map();
  for (const entry of payload.status_lists) {
    if (!("token" in entry)) continue;
    const list = await readJwt(entry.token, keys[LICENCE]);
    lists.set(list.uri, list);
  }
  need(Number.isInteger(payload.sequence) && isMoment(payload.iat) && isMoment(payload.exp));
  return {
    issuer: text(payload.issuer),
    sequence: payload.sequence,
    issuedAt: payload.iat,
    expiresAt: payload.exp,
    signedBy,
    keys,
    revoked,
    dictionaries: await dictionaries(payload.dictionaries),
    templates: new Map(payload.templates.map((entry) => [text(entry.id).toLowerCase(), template(entry)])),
    lists,
    addresses: payload.status_lists.map((entry) => text(entry.uri)),
  };
}

// By id, the bytes that have the digest stated.
async function dictionaries(listed) {
  const found = new Map();
  for (const { id, sha256: digest, data } of listed) {
    const bytes = unb64u(data);
    need(hex(await sha256(bytes)) === digest);
    found.set(text(id), { digest, bytes });
  }
  return found;
}

function template(entry) {
  const fields = entry.fields.map((field) => ({ name: text(field.name), title: text(field.title), titleEn: field.title_en, type: text(field.type) }));
  return { type: text(entry.type), name: text(entry.name), nameEn: entry.name_en, fields };
}

function text(value) {
  need(typeof value === "string");
  return value;
}

function need(isSo) {
  if (!isSo) throw new Refused("not_a_bundle");
}
