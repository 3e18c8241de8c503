"""The demonstration city in a real browser: its accounts, and one person at a browser of his own."""

import base64
import contextlib
import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pyotp
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

VERIFIER = "a-verifier-that-only-this-test-knows-0123456789"  # RFC 7636 section 4.1
SCOPE = "openid profile phone offline_access licences.read"
AXE = Axe().axe_script
# Asked at once: whatever Playwright looks for in a page by itself, it first loads a script of its own into it.
SEEN = """axe.run({resultTypes: ['violations']}).then((found) => ({
    headings: document.querySelectorAll("h1").length,
    language: document.documentElement.lang,
    width: document.documentElement.scrollWidth,
    violations: found.violations,
}))"""
SECOND = "/login/second"
SUBMIT = "main form button[type=submit]"

Account = dict[str, Any]


@dataclass(frozen=True)
class Live:
    """A running city and its FILE."""

    members: dict[str, Any]
    # From here to 160 nobody acts for an organisation or holds an office, and everybody has proved who he is.
    _unseen: Iterator[int] = field(default_factory=lambda: iter(range(110, 160)))
    _used: dict[str, int] = field(default_factory=dict)
    # By number: the cookies of clerks and officers who came before. There are few, and a code is good once.
    staff_cookies: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.members["issuer"])

    def citizen(self, place: int) -> Account:
        """A plain citizen, below 20, for tests that need his licences."""
        return dict(self.members["people"][place])

    def stranger(self) -> Account:
        """A plain citizen whom no other test meets: logins are counted by number, and apps remember consent."""
        return self.citizen(next(self._unseen))

    def agent(self, place: int) -> tuple[Account, str]:
        """Somebody who may act for an organisation, and its name."""
        organisation = self.members["organisations"][place]
        return self._person(organisation["agent_id_number"]), organisation["name"]

    def clerk(self, place: int = 0) -> Account:
        return {**self.members["clerks"][place], "is_staff": True}

    def officer(self, place: int = 0) -> Account:
        return {**self._person(self.members["departments"][place]["officer_id_number"]), "is_staff": True}

    def code(self, account: Account) -> str:
        """A code of somebody's app that was not used yet: one of the next step is good too, later ones are waited for.

        Steps: RFC 6238 section 5.2.
        """
        app = pyotp.TOTP(account["totp_secret"])
        step = max(int(time.time()) // app.interval, self._used.get(app.secret, 0) + 1)
        time.sleep(max(0.0, (step - 1) * app.interval - time.time() + 0.5))
        self._used[app.secret] = step
        return app.generate_otp(step)

    def _person(self, number: str) -> Account:
        return next(person for person in self.members["people"] if person["id_number"] == number)

    def authorize_path(self, client: dict[str, Any], scope: str = SCOPE) -> str:
        """Where an app sends a browser for a login (code flow with PKCE)."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        return "/oauth/authorize?" + urlencode(
            {
                "client_id": client["client_id"], "redirect_uri": client["redirect_uris"][0], "scope": scope,
                "response_type": "code", "state": "state-of-the-app", "nonce": "nonce-of-the-app",
                "code_challenge": challenge, "code_challenge_method": "S256",
            }
        )  # fmt: skip

    def client(self, name: str = "app-basic") -> dict[str, Any]:
        return next(client for client in self.members["clients"] if client["name"] == name)


@dataclass
class Visitor:
    """One person at a browser; `complaints` is what the browser wrote on its console."""

    live: Live
    context: "BrowserContext"
    page: "Page"
    width: int
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def arrive(
        cls, live: Live, chromium: "Browser", *, language: str = "zh", width: int = 1280, **options: Any
    ) -> "Visitor":
        viewport = {"width": width, "height": 800}
        context = chromium.new_context(locale="zh-CN", viewport=viewport, reduced_motion="reduce", **options)
        context.add_cookies([{"name": "ona_lang", "value": language, "url": live.url}])
        visitor = cls(live, context, context.new_page(), width)
        visitor.page.on("console", visitor._hear)
        return visitor

    def _hear(self, message: "ConsoleMessage") -> None:
        # A page that is itself a refusal (400, 403, 422) is noted by the browser too; what it loads must be there.
        of_page = message.text.startswith("Failed to load resource") and message.location.get("url") == self.page.url
        if message.type in {"error", "warning"} and not of_page:
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.live.url + path)

    def submit(self) -> None:
        """Press the main button of the page, and wait for the page it leads to."""
        with self.page.expect_navigation():
            self.page.locator(SUBMIT).first.click()

    def fill_in_login(self, account: Account) -> None:
        self.page.fill("#number", account["id_number"])
        self.page.fill("#password", account["password"])

    def log_in(self, account: Account, to: str = "/me") -> None:
        """Go where a login is needed, and log in; whoever holds a post shows his second factor too, the first time."""
        if self._is_back(account, to):
            return
        self.open(to)
        self.fill_in_login(account)
        self.submit()
        if account.get("is_staff"):
            if urlsplit(self.page.url).path != SECOND:
                self.open(f"{SECOND}?{urlencode({'to': to})}")
            self.page.fill("#code", self.live.code(account))
            self.submit()
            self.live.staff_cookies[account["id_number"]] = [
                cookie for cookie in self.context.cookies() if cookie["name"] != "ona_lang"
            ]

    def _is_back(self, account: Account, to: str) -> bool:
        """Come with the session that this clerk or officer began elsewhere; False where there is none any more."""
        kept = self.live.staff_cookies.get(account["id_number"], [])
        if kept:
            self.context.add_cookies(kept)
            self.open(to)
            if urlsplit(self.page.url).path == urlsplit(to).path:
                return True
        for cookie in kept:
            self.context.clear_cookies(name=cookie["name"])
        return False

    def scan(self, text: str) -> None:
        """Type as a scanner gun does: wherever the focus is, very fast, Enter at the end."""
        with self.page.expect_navigation():
            self.page.keyboard.type(text)
            self.page.keyboard.press("Enter")

    def assert_sound(self, *widths: int) -> None:
        """One heading, nothing wider than the screen, nothing that axe finds (WCAG 2.0 to 2.2, A and AA, and more)."""
        self.page.wait_for_load_state()
        self.page.evaluate(AXE)
        for width in widths or (self.width,):
            self._widen(width)
            seen = self.page.evaluate(SEEN)
            assert seen["headings"] == 1
            assert seen["width"] <= width
            assert seen["violations"] == []
        self._widen(self.width)

    def _widen(self, width: int) -> None:
        if self.page.viewport_size != (size := {"width": width, "height": 800}):
            self.page.set_viewport_size(size)

    def leave(self) -> None:
        self.context.close()
        assert self.complaints == []


@contextlib.contextmanager
def listening_app(live: Live) -> Iterator[tuple[dict[str, Any], list[dict[str, str]]]]:
    """An app on its registered loopback address: the client, and the answers that browsers bring to it.

    Raises:
        OSError: none of the addresses registered for the city's apps is free.
    """
    answers: list[dict[str, str]] = []

    class App(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if urlsplit(self.path).path == "/cb":
                answers.append(dict(parse_qsl(urlsplit(self.path).query)))
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(
                b'<!doctype html><html lang="zh"><title>App</title><link rel="icon" href="data:,"><h1>App</h1>'
            )

        def log_message(self, *_arguments: object) -> None:
            return

    client, server = _bind(live, App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield client, answers
    finally:
        server.shutdown()
        server.server_close()


def _bind(
    live: Live, app: type[http.server.BaseHTTPRequestHandler]
) -> tuple[dict[str, Any], http.server.ThreadingHTTPServer]:
    taken = None
    for client in live.members["clients"]:
        for uri in client.get("redirect_uris", [])[:1]:
            try:
                return client, http.server.ThreadingHTTPServer(("127.0.0.1", urlsplit(uri).port or 0), app)
            except OSError as error:
                taken = error
    raise OSError("every registered address is taken") from taken
