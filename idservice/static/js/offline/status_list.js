// Token Status List (draft-ietf-oauth-status-list), two bits for each copy, as `licences/status/token_list.py` reads it.
import { unb64u } from "./base64url.js";
import { inflate } from "./inflate.js";
import * as jws from "./jws.js";
import { Refused } from "./refused.js";

export const SIZE = 2 ** 20; // places of one list
export const LATEST = 253_402_300_799; // the last second of the year 9999
const BITS = 2;
const PER_BYTE = 8 / BITS;
const MAX_TOKEN = 512 * 1024; // characters
const CLAIMS = ["sub", "iat", "exp", "ttl", "status_list", "aggregation_uri"];

/** Return `{uri, issuedAt, expiresAt, ttl, status(index)}` of a list that one of `keys` signed, whatever the day. */
export async function readJwt(token, keys) {
  const { payload } = await jws.decode(token, keys, ["statuslist+jwt"], MAX_TOKEN, true);
  const listed = payload.status_list;
  need(Object.keys(payload).every((name) => CLAIMS.includes(name)));
  need(typeof listed === "object" && listed !== null && listed.bits === BITS && typeof listed.lst === "string");
  need(typeof payload.sub === "string" && ["iat", "exp", "ttl"].every((name) => isMoment(payload[name])));
  let bits;
  try {
    bits = await inflate(unb64u(listed.lst), "deflate", SIZE / PER_BYTE);
  } catch {
    throw new Refused("not_a_list");
  }
  need(bits.length);
  return {
    uri: payload.sub,
    issuedAt: payload.iat,
    expiresAt: payload.exp,
    ttl: payload.ttl,
    status: (index) => at(bits, index),
  };
}

/** Tell whether a value is a time in Unix seconds that a calendar of ours has. */
export const isMoment = (value) => Number.isInteger(value) && 0 <= value && value <= LATEST;

function at(bits, index) {
  if (!Number.isInteger(index) || index < 0 || index >= bits.length * PER_BYTE) throw new Refused("no_such_place");
  return (bits[Math.floor(index / PER_BYTE)] >> (BITS * (index % PER_BYTE))) & 3;
}

function need(isSo) {
  if (!isSo) throw new Refused("not_a_list");
}
