// DEFLATE (RFC 1951) and zlib (RFC 1950), by the browser itself, with a bound on what comes out.
import { joined } from "./bytes.js";
import { Refused } from "./refused.js";

/**
 * Return what was compressed; refused where it is more than `limit` bytes, cut short, or followed by anything.
 * @param {Uint8Array} data
 * @param {"deflate" | "deflate-raw"} format
 * @param {number} limit
 */
export async function inflate(data, format, limit) {
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  const pieces = [];
  let size = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      pieces.push(piece.value);
      size += piece.value.length;
      if (size > limit) throw new Refused("too_large");
    }
  } catch {
    reader.cancel().catch(() => undefined);
    throw new Refused("bad_payload");
  }
  return joined(...pieces);
}

/**
 * The same for raw DEFLATE with a preset dictionary, which no browser takes by that name. A stored block (section 3.2.4)
 * holding the dictionary in front fills the window just so; what it gives is taken off again.
 */
export async function inflateWith(dictionary, data, limit) {
  const size = dictionary.length;
  const stored = Uint8Array.of(0, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255);
  const whole = await inflate(joined(stored, dictionary, data), "deflate-raw", size + limit);
  return whole.subarray(size);
}
