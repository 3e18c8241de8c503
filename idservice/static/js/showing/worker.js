// The worker of /me/offline: keeps the page, which says nothing of anybody, and its files; nothing else is touched.
// `licences/pages/devices.py` fills in the edition and the list: whatever changes makes another worker.
const EDITION = "ona-show-{edition}";
const PAGE = "/me/offline";
const LANGUAGES = ["zh", "en"];
const ASSETS = ["{assets}"];

async function keep() {
  const cache = await caches.open(EDITION);
  // Without cookies: the page of nobody in particular.
  const wanted = [...LANGUAGES.map((lang) => `${PAGE}?lang=${lang}`), ...ASSETS];
  await cache.addAll(wanted.map((url) => new Request(url, { credentials: "omit", cache: "reload" })));
}

async function dropOlder() {
  for (const name of await caches.keys()) {
    if (name.startsWith("ona-show-") && name !== EDITION) await caches.delete(name);
  }
  await self.clients.claim();
}

function kept(url) {
  if (url.pathname !== PAGE) return ASSETS.includes(url.pathname) ? url.pathname : null;
  const lang = url.searchParams.get("lang");
  return `${PAGE}?lang=${LANGUAGES.includes(lang) ? lang : LANGUAGES[0]}`;
}

async function answer(request, name) {
  const cache = await caches.open(EDITION);
  return (await cache.match(name, { ignoreVary: true })) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropOlder()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const name = event.request.method === "GET" && url.origin === self.location.origin ? kept(url) : null;
  if (name) event.respondWith(answer(event.request, name));
});
