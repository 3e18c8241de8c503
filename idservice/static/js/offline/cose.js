// COSE_Sign1 without its tag (RFC 9052 section 4.2), ES256 or SM2, as `keys/cose.py` reads it: the protected header holds
// the algorithm and a short key identifier and nothing else, and the algorithm is the key's.
import * as cbor from "./cbor.js";
import { joined, same } from "./bytes.js";
import { Refused } from "./refused.js";

const MAX_MESSAGE = 8_192; // bytes
const SHORT_KID = 4;
const [ALGORITHM, KID] = [1, 4]; // header parameters, RFC 9052 section 3.1
const NAMED = new Map([[-7, "ES256"], [-65_537, "SM2"]]); // RFC 9053 table 1, and one for private use
const CONTEXT = joined(Uint8Array.of(0x84, 0x6a), new TextEncoder().encode("Signature1"));

/** Take a message apart, nothing of it believed yet. */
export function read(message) {
  const parts = decoded(message, MAX_MESSAGE);
  if (!Array.isArray(parts) || parts.length !== 4) throw new Refused("malformed");
  const [header, unprotected, payload, signature] = parts;
  if (![header, payload, signature].every((part) => cbor.isBytes(part))) throw new Refused("malformed");
  if (!(unprotected instanceof Map) || unprotected.size) throw new Refused("header_refused");
  if (signature.length !== 64) throw new Refused("malformed");
  return { header, payload, signature, ...readHeader(header) };
}

function readHeader(encoded) {
  const header = decoded(encoded);
  if (!(header instanceof Map) || header.size !== 2 || !header.has(ALGORITHM) || !header.has(KID)) throw new Refused("header_refused");
  const algorithm = NAMED.get(header.get(ALGORITHM));
  if (!algorithm) throw new Refused("algorithm");
  if (!cbor.isBytes(header.get(KID), SHORT_KID)) throw new Refused("header_refused");
  return { algorithm, kid: header.get(KID) };
}

function decoded(data, maxBytes) {
  try {
    return cbor.decode(data, maxBytes);
  } catch {
    throw new Refused("malformed");
  }
}

/** Return the one of `keys` that signed; every key with the short identifier is tried. */
export async function verify(message, keys) {
  const named = keys.filter((key) => same(key.thumbprint.subarray(0, SHORT_KID), message.kid));
  if (!named.length) throw new Refused("unknown_key");
  const fitting = named.filter((key) => key.algorithm === message.algorithm);
  if (!fitting.length) throw new Refused("algorithm");
  const signed = toBeSigned(message);
  for (const key of fitting) if (await key.verify(signed, message.signature)) return key;
  throw new Refused("signature");
}

// The Sig_structure (RFC 9052 section 4.4) without external data.
const toBeSigned = ({ header, payload }) =>
  joined(CONTEXT, cbor.encodedBytes(header), cbor.encodedBytes(new Uint8Array()), cbor.encodedBytes(payload));
