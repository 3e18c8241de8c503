// The one strict verifier of compact JWS (RFC 7515, RFC 8725), as `keys/jws.py` has it: the key is one of ours by `kid`,
// the algorithm is the key's, the type is what the caller expects, and header members outside a short list are refused.
import { unb64u } from "./base64url.js";
import { utf8 } from "./bytes.js";
import { Refused } from "./refused.js";
import { strictJson } from "./strict_json.js";

const MAX_HEADER = 2_048;
const MAX_SIGNATURE = 683;
const HEADER = ["alg", "kid", "typ", "cty", "x5t", "x5t#S256"];
const JOSE = new Set(["ES256", "EdDSA"]); // SM2 has no registered JOSE name
const NUMERIC = ["exp", "nbf", "iat", "auth_time", "updated_at"];

/**
 * Check a token and return its header and payload.
 * @param {string} token
 * @param {Map<string, object>} keys by kid
 * @param {string[]} types which `typ` will do
 * @param {number} maxLength characters
 * @param {boolean} withChain whether `x5c` may pass, which is for other readers: the key is found by `kid` all the same
 */
export async function decode(token, keys, types, maxLength, withChain = false) {
  if (token.length > maxLength) throw new Refused("too_large");
  const parts = token.split(".", 4);
  if (parts.length !== 3 || /[^\0-\x7f]/.test(token)) throw new Refused("malformed");
  const [head, body, tail] = parts;
  if (head.length > MAX_HEADER || tail.length > MAX_SIGNATURE) throw new Refused("too_large");
  const header = object(head, 3, "malformed");
  if (Object.keys(header).some((name) => !HEADER.includes(name) && !(withChain && name === "x5c"))) throw new Refused("header_refused");
  const signature = octets(tail, "malformed");
  const key = typeof header.kid === "string" ? keys.get(header.kid) : undefined;
  if (!key) throw new Refused("unknown_key");
  if (!JOSE.has(key.algorithm) || header.alg !== key.algorithm) throw new Refused("algorithm");
  if (typeof header.typ !== "string" || !types.map(mediaType).includes(mediaType(header.typ))) throw new Refused("wrong_type");
  if (!(await key.verify(utf8(`${head}.${body}`), signature))) throw new Refused("signature");
  const payload = object(body, 16, "bad_payload");
  if (NUMERIC.some((name) => name in payload && typeof payload[name] !== "number")) throw new Refused("bad_claim");
  return { header, payload };
}

/** Return a part of a token as an object, not believed yet. */
export function object(text, maxDepth, code) {
  let value;
  try {
    value = strictJson(octets(text, code), { maxDepth });
  } catch {
    throw new Refused(code);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refused(code);
  return value;
}

function octets(text, code) {
  try {
    return unb64u(text);
  } catch {
    throw new Refused(code);
  }
}

// RFC 7515 section 4.1.9: any case, and `application/` may be left out.
function mediaType(typ) {
  const lower = typ.toLowerCase();
  return lower.includes("/") ? lower : `application/${lower}`;
}
