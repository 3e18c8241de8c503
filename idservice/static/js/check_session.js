// The page that apps hold in a frame to learn, without asking the server, whether the session is still the one they
// know: OpenID Connect Session Management 1.0 section 3.2. A message is "client_id session_state"; the origin counts.
const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const state = () =>
  document.cookie.split("; ").find((pair) => pair.startsWith("ona-browser-state="))?.slice("ona-browser-state=".length) ?? "";

const answer = async (message, origin) => {
  const parts = typeof message === "string" ? message.match(/^(\S{1,64}) ([0-9a-f]{64})\.([\w-]{1,64})$/) : null;
  if (!parts || origin === "null") return "error";
  const [, clientId, known, salt] = parts;
  const text = new TextEncoder().encode(`${clientId} ${origin} ${state()} ${salt}`);
  return hex(await crypto.subtle.digest("SHA-256", text)) === known ? "unchanged" : "changed";
};

window.addEventListener("message", async (event) => {
  event.source?.postMessage(await answer(event.data, event.origin), event.origin === "null" ? "*" : event.origin);
});
