// The service worker of the scan pages. In front of this the server puts VERSION, SHELLS (a page's path: the path of the
// page that stands in for it) and FILES (path: digest). The network comes first; the copy is for when there is none. Pages
// are copied as nobody in particular sees them: without cookies, so nothing personal is kept.
const NAME = `ona-check-${VERSION}`;
const LANGUAGES = ["zh", "en"];
const PATIENCE_MS = 4_000;

const isOurs = (name) => name.startsWith("ona-check-");
const shellPath = (shell, language) => `${shell}?lang=${language}`;

async function kept(cache, path, options) {
  const response = await fetch(path, { cache: "no-cache", credentials: "omit", ...options });
  if (!response.ok || response.redirected) throw new Error(path);
  await cache.put(path, response);
}

async function install() {
  const cache = await caches.open(NAME);
  const pages = [...new Set(Object.values(SHELLS))].flatMap((shell) => LANGUAGES.map((language) => shellPath(shell, language)));
  await Promise.all(pages.map((path) => kept(cache, path)));
  await Promise.all(Object.entries(FILES).map(([path, integrity]) => kept(cache, path, { integrity })));
  await self.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => isOurs(name) && name !== NAME).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// In the language of the address, else in the one last read here.
async function languageOf(url) {
  const asked = url.searchParams.get("lang");
  if (LANGUAGES.includes(asked)) return asked;
  const lists = await (await (await caches.open("ona-lists")).match("/offline/lists"))?.json();
  return lists?.language === "en" ? "en" : "zh";
}

async function page(request, shell) {
  const url = new URL(request.url);
  const copy = async () => caches.match(shellPath(shell, await languageOf(url)), { ignoreVary: true });
  return (await first(request)) ?? (await copy()) ?? Response.error();
}

async function file(request) {
  const path = new URL(request.url).pathname;
  return (await first(request)) ?? (await caches.match(path, { ignoreVary: true })) ?? Response.error();
}

// What the network says, unless there is none, it takes too long, or somebody in between says that the server is gone.
async function first(request) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const response = await Promise.race([fetch(request), late]).catch(() => null);
  return response && ![502, 503, 504].includes(response.status) ? response : null;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname in SHELLS) event.respondWith(page(request, SHELLS[url.pathname]));
  else if (url.pathname in FILES) event.respondWith(file(request));
});
