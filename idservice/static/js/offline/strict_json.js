// JSON from outside: RFC 8259 narrowed to I-JSON (RFC 7493), as `keys/strict_json.py` has it. What two readers could
// understand differently is refused: names that come twice, numbers a double cannot hold, text that is not Unicode.
import { textOf } from "./bytes.js";
import { Refused } from "./refused.js";

const MAX_KEYS = 1_000;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]|-?\d[\d.eE+-]*/g;
const NOT_UNICODE = /\p{Surrogate}|\0/u;

/**
 * @param {Uint8Array} data
 * @param {{maxBytes?: number, maxDepth?: number}} limits
 * @returns {any}
 */
export function strictJson(data, { maxBytes = 1_048_576, maxDepth = 32 } = {}) {
  if (data.length > maxBytes) throw new Refused("too_large");
  let text, value;
  try {
    text = textOf(data);
    value = JSON.parse(text);
  } catch {
    throw new Refused("malformed");
  }
  look(text, maxDepth);
  return value;
}

// The text is known to be JSON here, so its tokens tell all that the parser does not.
function look(text, maxDepth) {
  const open = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push(new Set());
      if (open.length > maxDepth) throw new Refused("too_deep");
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token[0] === '"') {
      lookAtText(token, colon, open);
    } else if (!Number.isFinite(Number(token)) || (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)))) {
      throw new Refused("number_out_of_range");
    }
  }
}

function lookAtText(token, colon, open) {
  const text = JSON.parse(colon ? token.slice(0, -colon.length) : token);
  if (NOT_UNICODE.test(text)) throw new Refused("bad_text");
  if (!colon) return;
  const names = open[open.length - 1];
  if (names.has(text)) throw new Refused("duplicate_key");
  names.add(text);
  if (names.size > MAX_KEYS) throw new Refused("too_many_keys");
}
