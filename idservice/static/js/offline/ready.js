// Makes this page and its family open without a network; says when they do, and when the network is gone.
const place = document.querySelector("[data-offline-scopes]");

async function keep(scope) {
  const registration = await navigator.serviceWorker.register("/offline-worker.js", { scope, updateViaCache: "none" });
  if (registration.active) return;
  const worker = registration.installing ?? registration.waiting;
  await new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("not kept"));
    });
  });
}

function say() {
  for (const notice of document.querySelectorAll("[data-network-gone]")) notice.hidden = navigator.onLine;
}

async function keepAll() {
  await Promise.all(place.dataset.offlineScopes.split(" ").map(keep));
  place.dataset.kept = "";
  for (const notice of document.querySelectorAll("[data-kept-notice]")) notice.hidden = false;
}

window.addEventListener("online", say);
window.addEventListener("offline", say);
say();
if ("serviceWorker" in navigator) keepAll().catch(() => undefined); // a full disk, or a private window: online only
