// Deterministic CBOR: RFC 8949 section 4.2.1, as `keys/cbor.py` reads it. No package reads exactly this: shortest heads,
// map keys in bytewise order and none twice, no tags, floats or indefinite lengths, nothing left over. So one value has
// one encoding. Integers beyond what a number holds are BigInt; maps are Map.
import { textOf } from "./bytes.js";
import { Refused } from "./refused.js";

const MAX_DEPTH = 8;
const SIMPLE = { 0xf4: false, 0xf5: true, 0xf6: null };
const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP] = [0, 1, 2, 3, 4, 5];

const malformed = () => new Refused("malformed");

/** @param {Uint8Array} data @param {number} maxBytes */
export function decode(data, maxBytes = 16_384) {
  if (data.length > maxBytes) throw malformed();
  const reader = new Reader(data);
  const value = reader.item(0);
  if (reader.place !== data.length) throw malformed();
  return value;
}

/** Return the encoding of a byte string: all that a signature's input needs to be written. */
export function encodedBytes(value) {
  const size = value.length;
  const head = size < 24 ? [0x40 | size] : size < 256 ? [0x58, size] : [0x59, size >> 8, size & 255];
  if (size > 0xffff) throw malformed();
  return Uint8Array.of(...head, ...value);
}

export const isBytes = (value, size) => value instanceof Uint8Array && (size === undefined || value.length === size);
export const isWhole = (value) => typeof value === "bigint" || Number.isInteger(value);

class Reader {
  constructor(data) {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.length);
    this.place = 0;
  }

  item(depth) {
    if (depth > MAX_DEPTH || this.place >= this.data.length) throw malformed();
    const first = this.data[this.place];
    if (first in SIMPLE) {
      this.place += 1;
      return SIMPLE[first];
    }
    const major = first >> 5;
    const argument = this.argument(first);
    if (major === UNSIGNED) return argument;
    if (major === NEGATIVE) return typeof argument === "bigint" ? -1n - argument : -1 - argument;
    if (major > MAP || argument > this.data.length - this.place) throw malformed();
    if (major === BYTES) return this.slice(argument);
    if (major === TEXT) return this.text(argument);
    return major === ARRAY ? this.array(argument, depth + 1) : this.map(argument, depth + 1);
  }

  argument(first) {
    const short = first & 0x1f;
    this.place += 1;
    if (short < 24) return short;
    const size = 1 << (short - 24);
    if (short > 27 || this.place + size > this.data.length) throw malformed();
    let found = 0n;
    for (const byte of this.slice(size)) found = (found << 8n) | BigInt(byte);
    if (found < (size === 1 ? 24n : 1n << BigInt(4 * size))) throw malformed();
    return found > BigInt(Number.MAX_SAFE_INTEGER) ? found : Number(found);
  }

  slice(length) {
    const start = this.place;
    this.place += length;
    return this.data.subarray(start, this.place);
  }

  text(length) {
    try {
      return textOf(this.slice(length));
    } catch {
      throw malformed();
    }
  }

  array(length, depth) {
    const found = [];
    for (let member = 0; member < length; member += 1) found.push(this.item(depth));
    return found;
  }

  map(length, depth) {
    const found = new Map();
    let before = new Uint8Array();
    for (let member = 0; member < length; member += 1) {
      const start = this.place;
      const key = this.item(depth);
      if (!isWhole(key) && typeof key !== "string") throw malformed();
      const encoded = this.data.subarray(start, this.place);
      if (!isAfter(encoded, before)) throw malformed();
      before = encoded;
      found.set(key, this.item(depth));
    }
    return found;
  }
}

function isAfter(one, other) {
  const place = one.findIndex((byte, index) => byte !== other[index]);
  if (place < 0) return false; // the same, or the beginning of the other
  return place >= other.length || (one[place] > other[place]);
}
