// A licence as SD-JWT VC: RFC 9901, as `licences/formats/sdjwt.py` and `disclosures.py` read it. A key-binding JWT is
// refused by name: it is never ignored.
import { b64u, unb64u } from "./base64url.js";
import { sha256, utf8 } from "./bytes.js";
import * as jws from "./jws.js";
import { Refused } from "./refused.js";
import { strictJson } from "./strict_json.js";

const TYPES = ["dc+sd-jwt", "vc+sd-jwt"]; // the second until 2024; wallets still hold credentials that carry it
const MAX_CREDENTIAL = 65_536; // characters
const MAX_DISCLOSURES = 200;
const MAX_DISCLOSURE = 16_384;
const MAX_DEPTH = 16;
const OPEN = ["iss", "vct", "iat", "exp", "nbf", "cnf", "status", "vct#integrity"];
const [DIGESTS, PLACEHOLDER, HASH_CLAIM, HASH] = ["_sd", "...", "_sd_alg", "sha-256"];
const STRUCTURAL = [DIGESTS, PLACEHOLDER, HASH_CLAIM];

const REASONS = {
  unknown_key: "issuer_unknown",
  issuer: "issuer_unknown",
  signature: "signature_invalid",
  algorithm: "signature_invalid",
  wrong_type: "format_unknown",
  vct: "format_unknown",
  hash_unknown: "format_unknown",
  key_binding_unsupported: "format_unknown",
  disclosure_unreferenced: "document_altered",
  disclosure_repeated: "document_altered",
};

export const reasonOf = (code) => REASONS[code] ?? "unreadable";

/** Return the claims of a credential, the disclosed ones in place, if `issuer` signed it, whatever the day. */
export async function authenticate(credential, keys, issuer) {
  const { jwt, disclosures } = split(credential);
  const { payload } = await jws.decode(jwt, keys, TYPES, MAX_CREDENTIAL, true);
  if (payload.iss !== issuer) throw new Refused("issuer");
  if (typeof payload.vct !== "string" || !payload.vct) throw new Refused("vct");
  return restore(payload, disclosures);
}

/** Return the `kid` that a credential names, which nobody has believed. */
export function namedKid(credential) {
  try {
    return strictJson(unb64u(credential.split(".", 1)[0]), { maxBytes: 2_048 }).kid;
  } catch {
    return undefined;
  }
}

function split(credential) {
  if (credential.length > MAX_CREDENTIAL) throw new Refused("too_large");
  const [jwt, ...disclosures] = credential.split("~");
  const binding = disclosures.pop();
  if (binding === undefined || !jwt || disclosures.includes("") || disclosures.length > MAX_DISCLOSURES) throw new Refused("form");
  if (binding) throw new Refused("key_binding_unsupported");
  return { jwt, disclosures };
}

function readDisclosure(disclosure) {
  let members;
  try {
    if (disclosure.length <= MAX_DISCLOSURE) members = strictJson(unb64u(disclosure), { maxDepth: MAX_DEPTH });
  } catch {
    throw new Refused("disclosure");
  }
  const isOne = Array.isArray(members) && (members.length === 2 || (members.length === 3 && typeof members[1] === "string"));
  if (!isOne || typeof members[0] !== "string") throw new Refused("disclosure");
  return members;
}

// Every disclosure must be called for by exactly one digest; digests without one stay hidden, or are decoys.
async function restore(payload, disclosures) {
  const pool = new Map();
  for (const disclosure of disclosures) {
    const members = readDisclosure(disclosure);
    const digest = b64u(await sha256(utf8(disclosure)));
    if (pool.has(digest)) throw new Refused("disclosure_repeated");
    pool.set(digest, members);
  }
  if (HASH_CLAIM in payload && payload[HASH_CLAIM] !== HASH) throw new Refused("hash_unknown");
  const { [HASH_CLAIM]: _, ...bare } = payload;
  const claims = new Restoration(pool).claims(bare, 0);
  if (pool.size) throw new Refused("disclosure_unreferenced");
  if (OPEN.some((name) => Object.hasOwn(claims, name) && !Object.hasOwn(bare, name))) throw new Refused("claim_reserved");
  return claims;
}

// One walk through a payload: `pool` shrinks as disclosures are used, `seen` makes a repeated digest an error.
class Restoration {
  constructor(pool) {
    this.pool = pool;
    this.seen = new Set();
  }

  claims(value, depth) {
    if (depth > MAX_DEPTH) throw new Refused("too_deep");
    if (Object.hasOwn(value, PLACEHOLDER) || Object.hasOwn(value, HASH_CLAIM)) throw new Refused("claim_reserved");
    const found = new Map();
    for (const [name, inner] of Object.entries(value)) if (name !== DIGESTS) found.set(name, this.value(inner, depth));
    const digests = Object.hasOwn(value, DIGESTS) ? value[DIGESTS] : [];
    if (!Array.isArray(digests)) throw new Refused("digest");
    for (const digest of digests) {
      const members = this.take(digest);
      if (!members) continue;
      if (members.length !== 3) throw new Refused("disclosure");
      if (STRUCTURAL.includes(members[1])) throw new Refused("claim_reserved");
      if (found.has(members[1])) throw new Refused("claim_clash");
      found.set(members[1], this.value(members[2], depth));
    }
    return Object.fromEntries(found);
  }

  value(value, depth) {
    if (Array.isArray(value)) return this.elements(value, depth + 1);
    return typeof value === "object" && value !== null ? this.claims(value, depth + 1) : value;
  }

  elements(values, depth) {
    if (depth > MAX_DEPTH) throw new Refused("too_deep");
    const found = [];
    for (const value of values) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, PLACEHOLDER)) {
        found.push(this.value(value, depth));
        continue;
      }
      if (Object.keys(value).length !== 1) throw new Refused("claim_reserved");
      const members = this.take(value[PLACEHOLDER]);
      if (!members) continue;
      if (members.length !== 2) throw new Refused("disclosure");
      found.push(this.value(members[1], depth));
    }
    return found;
  }

  take(digest) {
    if (typeof digest !== "string") throw new Refused("digest");
    if (this.seen.has(digest)) throw new Refused("digest_repeated");
    this.seen.add(digest);
    const members = this.pool.get(digest);
    this.pool.delete(digest);
    return members;
  }
}
