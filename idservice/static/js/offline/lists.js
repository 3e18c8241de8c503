// The trust bundle and the status lists on this device: fetched while there is a network, kept for when there is none. What
// is kept is read anew each time the page opens, signatures and all; nothing of any licence is ever kept.
import { OLD, rely } from "./verify.js";
import * as trust from "./trust.js";

const STORE = "ona-lists";
const KEY = "/offline/lists";
const MOST = 64; // lists fetched at once; the bundle itself brings the newest ones

export class Lists {
  /** @param {string[]} pins thumbprints of the keys that may sign a bundle, which came with the page */
  constructor(pins) {
    this.pins = pins;
    this.relied = null;
  }

  /** Take up what was kept, if it can still be believed. */
  async load() {
    const kept = await (await (await caches.open(STORE)).match(KEY))?.json();
    if (!kept) return;
    try {
      this.relied = await rely(await trust.read(kept.bundle, [...this.pins, ...kept.pins]), kept.tokens);
    } catch {
      await caches.delete(STORE);
    }
  }

  /** Fetch bundle and lists, and keep them; an error leaves what was there. */
  async refresh() {
    const text = await fetched("/trust/bundle");
    const bundle = await trust.read(text, this.pins, this.relied?.bundle);
    const tokens = [];
    await Promise.all(bundle.addresses.slice(0, MOST).map(async (address) => {
      const token = await fetched(new URL(address).pathname).catch(() => null);
      if (token !== null && (await rely(bundle, [token]).catch(() => null))) tokens.push(token);
    }));
    this.relied = await rely(bundle, tokens);
    const language = document.documentElement.lang;
    const kept = new Response(JSON.stringify({ bundle: text, pins: trust.pinsOf(bundle), tokens, language }));
    await (await caches.open(STORE)).put(KEY, kept);
  }

  /** Return how old they are at `now` (Unix seconds): `{at, state}`, of which `state` is none, fresh, old or over. */
  age(now) {
    if (!this.relied) return { at: null, state: "none" };
    const { bundle, lists } = this.relied;
    const held = [bundle, ...lists.values()];
    const at = Math.min(...held.map(({ issuedAt }) => issuedAt));
    const isOver = held.some(({ expiresAt }) => now >= expiresAt);
    return { at, state: isOver ? "over" : now - at > OLD ? "old" : "fresh" };
  }
}

async function fetched(path) {
  const response = await fetch(path, { cache: "no-cache", credentials: "omit" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.text();
}
