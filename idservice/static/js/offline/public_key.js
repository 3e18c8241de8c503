// Public keys (JWK, RFC 7517): the type of a key decides its one algorithm. ES256 and EdDSA by the browser (Web Crypto),
// SM2 (GB/T 32918.2) by sm-crypto-v2, which is loaded when the first such key is used: no browser has SM2.
import { unb64u } from "./base64url.js";
import { hex, joined, sha256, utf8 } from "./bytes.js";
import { Refused } from "./refused.js";

const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const ORDER = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n; // of SM2, GB/T 32918.5 clause 2
const KINDS = {
  "EC P-256": { algorithm: "ES256", members: ["crv", "kty", "x", "y"], open: openES256 },
  "OKP Ed25519": { algorithm: "EdDSA", members: ["crv", "kty", "x"], open: openEdDSA },
  "EC SM2": { algorithm: "SM2", members: ["crv", "kty", "x", "y"], open: openSM2 },
};

/**
 * Return the key of a JWK: `{kid, algorithm, thumbprint, verify(data, signature)}`; `thumbprint` is that of RFC 7638.
 * Refused where it is private, of another kind or use, or no point of its curve.
 */
export async function publicKey(jwk, kid) {
  const kind = KINDS[`${jwk.kty} ${jwk.crv}`];
  if (!kind || PRIVATE.some((name) => name in jwk)) throw new Refused("unknown_key");
  if ((jwk.use ?? "sig") !== "sig" || (jwk.alg ?? kind.algorithm) !== kind.algorithm) throw new Refused("unknown_key");
  const defining = Object.fromEntries(kind.members.map((name) => [name, jwk[name]]));
  const points = kind.members.filter((name) => name.length === 1).map((name) => unb64u(jwk[name]));
  if (points.some((point) => point.length !== 32)) throw new Refused("unknown_key");
  const thumbprint = await sha256(utf8(JSON.stringify(defining)));
  return { kid, algorithm: kind.algorithm, thumbprint, verify: await kind.open(...points) };
}

async function openES256(x, y) {
  const point = joined(Uint8Array.of(4), x, y);
  const key = await crypto.subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  return (data, signature) => crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, data);
}

async function openEdDSA(x) {
  const key = await crypto.subtle.importKey("raw", x, "Ed25519", false, ["verify"]);
  return (data, signature) => crypto.subtle.verify("Ed25519", key, signature, data);
}

function openSM2(x, y) {
  const point = `04${hex(x)}${hex(y)}`;
  return async (data, signature) => {
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map((half) => BigInt(`0x${hex(half)}`));
    // The package leaves the range of r and s (GB/T 32918.2 clause 7.1, B1 and B2) to its caller.
    if (signature.length !== 64 || r < 1n || s < 1n || r >= ORDER || s >= ORDER) return false;
    const { sm2 } = await smCrypto();
    try {
      return sm2.doVerifySignature(data, hex(signature), point, { hash: true, der: false });
    } catch {
      return false; // the key is no point of the curve
    }
  };
}

async function smCrypto() {
  await import("../../vendor/sm-crypto-v2/index.umd.js"); // written for pages of any kind, it leaves its name with them
  return globalThis.SmCryptoV2;
}
