// The two written forms of an LC1 paper code, as `licences/formats/lc1_text.py` reads them: `LC1:` with base45 (RFC 9285),
// and a URL with digits after `#`. Either form has exactly one text for one content.
import { joined } from "./bytes.js";
import { Refused } from "./refused.js";

export const MAX_TEXT = 4_096; // characters
const PREFIX = "LC1:";
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const CHUNK_DIGITS = 17; // of seven bytes
const TAIL_BYTES = { 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, [CHUNK_DIGITS]: 7 };
const SCANNER_PREFIX = /^\]Q[0-9]/; // ISO/IEC 15424 symbology identifier, which some scanners send first
const FAMILY = /^LC[0-9]:/;
const ADDRESS = /^HTTPS?:\/\/([^/?#\t-\r ]{1,255})\/(?:V|VERIFY)#([0-9]+)$/i;
const SPACES = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+"; // as Python has them
const AROUND = new RegExp(`^${SPACES}|${SPACES}$`, "g");

export const stripped = (text) => text.replace(AROUND, "");

/** Tell whether a scanned text is meant as a paper code, readable or not. */
export function looksLike(text) {
  const printed = asPrinted(text);
  return FAMILY.test(printed) || ADDRESS.test(printed);
}

/** Return `{content, host}` of either form; `host` is the one printed, null where there is none. */
export function read(text) {
  if (text.length > MAX_TEXT) throw new Refused("too_large");
  const printed = asPrinted(text);
  const address = ADDRESS.exec(printed);
  if (address) return { content: fromDigits(address[2]), host: address[1].toLowerCase() };
  if (!FAMILY.test(printed)) throw new Refused("malformed");
  if (!printed.startsWith(PREFIX)) throw new Refused("dictionary_unknown");
  return { content: fromBase45(printed.slice(PREFIX.length)), host: null };
}

/** Take off what a scanner sends first, and the small letters of a keyboard with Caps Lock on. */
export function asPrinted(text, family = "lc") {
  const bare = stripped(text).replace(SCANNER_PREFIX, "");
  const isSmall = bare.startsWith(family) && bare === bare.toLowerCase() && !/[^\0-\x7f]/.test(bare);
  return isSmall ? bare.toUpperCase() : bare;
}

/** Read RFC 9285; a group above its largest value is refused, so that no content has a second text. */
export function fromBase45(text) {
  const values = Array.from(text, (character) => ALPHABET.indexOf(character));
  if (values.length % 3 === 1 || values.includes(-1)) throw new Refused("malformed");
  const content = [];
  for (let place = 0; place < values.length; place += 3) {
    const [first, second, third] = values.slice(place, place + 3);
    const value = first + 45 * second + 2025 * (third ?? 0);
    if (value > (third === undefined ? 0xff : 0xffff)) throw new Refused("malformed");
    content.push(...(third === undefined ? [value] : [value >> 8, value & 255]));
  }
  return Uint8Array.from(content);
}

function fromDigits(digits) {
  const pieces = [];
  for (let place = 0; place < digits.length; place += CHUNK_DIGITS) {
    const chunk = digits.slice(place, place + CHUNK_DIGITS);
    const size = TAIL_BYTES[chunk.length];
    if (size === undefined || BigInt(chunk) >= 1n << BigInt(8 * size)) throw new Refused("malformed");
    pieces.push(Uint8Array.from({ length: size }, (_, byte) => Number((BigInt(chunk) >> BigInt(8 * byte)) & 255n)));
  }
  return joined(...pieces);
}
