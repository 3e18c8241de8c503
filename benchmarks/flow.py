"""One login from beginning to end, as a browser and an app's server do it, at any provider.

Authorization code with PKCE (RFC 6749 section 4.1, RFC 7636), login and consent in HTML forms, ID token. The browser is
a new one every time: it brings no cookie, so the person logs in and consents anew. It knows no provider: it fills in
whatever form it is shown.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import secrets
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from benchmarks.request import Request, form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_STEPS: Final = 20
_FORM: Final = "application/x-www-form-urlencoded"


class FlowError(RuntimeError):
    """The provider did not lead to an ID token; a figure from this would mean nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """A provider and an app that is registered there."""

    url: str
    authorization_path: str
    token_path: str
    client: str
    secret: str
    redirect_uri: str
    people: tuple[tuple[str, str], ...]  # their names and passwords
    scope: str = "openid"
    more: Mapping[str, str] = field(default_factory=dict)  # of the authorization request
    buttons: Mapping[str, str] = field(default_factory=dict)  # by which the person agrees


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `headers` in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header, empty where there is none."""
        return next((value for known, value in self.headers if known == name), "")


@dataclass(frozen=True, slots=True)
class Done:
    """What one process of the load did; `trouble` is the last fault."""

    flows: int
    requests: int
    seconds: float
    trouble: str = ""


class _Forms(HTMLParser):
    """The forms of a page: their targets and (kind, name, value, checked) of every input."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str], list[tuple[str, str, str, bool]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        members = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((members, []))
        elif tag in {"input", "button"} and self.forms and members.get("name"):
            kind = members.get("type", "submit" if tag == "button" else "text")
            self.forms[-1][1].append((kind, members["name"], members.get("value", ""), "checked" in members))


class Browser:
    """A browser without a memory of other visits; `send` takes its requests to the provider."""

    def __init__(self, site: Site, send: Callable[[Request], Answer]) -> None:
        self.site, self.send, self.requests = site, send, 0
        self._cookies: dict[tuple[str, str], str] = {}

    def log_in(self) -> None:
        """Walk from the app's request to its ID token, or raise FlowError."""
        site, verifier, state = self.site, secrets.token_urlsafe(32), secrets.token_urlsafe(12)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": site.client,
            "redirect_uri": site.redirect_uri,
            "scope": site.scope,
            "state": state,
            "nonce": secrets.token_urlsafe(12),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **site.more,
        }
        back = self._walk(f"{site.authorization_path}?{urlencode(asked)}")
        if back.get("state") != state or "code" not in back:
            raise FlowError(f"came back without a code: {back}")
        redeemed = {
            "grant_type": "authorization_code",
            "code": back["code"],
            "redirect_uri": site.redirect_uri,
            "code_verifier": verifier,
        }
        answer = self.ask(form(site.token_path, redeemed, user=site.client, password=site.secret))
        if answer.status != 200 or "id_token" not in json.loads(answer.body):
            raise FlowError(f"no ID token: {answer.status} {answer.body[:200]!r}")

    def _walk(self, path: str) -> dict[str, str]:
        """Follow redirects and fill in forms until the provider sends us back; return what it sends along."""
        person = random.choice(self.site.people)
        request = Request("GET", path)
        for _ in range(MOST_STEPS):
            answer = self.ask(request)
            if 300 <= answer.status < 400:
                target = urljoin(self.site.url + request.path, answer.header("location"))
                if target.startswith(self.site.redirect_uri):
                    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
                request = Request("GET", _path(target))
            elif answer.status == 200:
                request = self._filled(request.path, answer.body.decode(), person)
            else:
                raise FlowError(f"{answer.status} at {request.path}: {answer.body[:200]!r}")
        raise FlowError(f"no end after {MOST_STEPS} steps")

    def _filled(self, path: str, page: str, person: tuple[str, str]) -> Request:
        found = _Forms()
        found.feed(page)
        agreed = self.site.buttons
        known = [
            shown for shown in found.forms if any(kind == "password" or name in agreed for kind, name, *_ in shown[1])
        ]
        if not known and not found.forms:
            raise FlowError(f"a page without a form at {path}")
        target, inputs = (known or found.forms)[0]
        values: dict[str, str] = {}
        for kind, name, value, is_checked in inputs:
            if kind == "submit":
                if agreed.get(name) == value:
                    values[name] = value
            elif kind == "password":
                values[name] = person[1]
            elif kind == "text":
                values[name] = person[0]
            elif kind not in {"checkbox", "radio"} or is_checked:
                values[name] = value
        action = _path(urljoin(self.site.url + path, target.get("action") or path))
        return Request("POST", action, {"Content-Type": _FORM}, urlencode(values).encode())

    def ask(self, request: Request) -> Answer:
        """Send a request with the cookies that were set so far."""
        path = request.path.partition("?")[0]
        cookies = "; ".join(
            f"{name}={value}" for (below, name), value in self._cookies.items() if path.startswith(below)
        )
        headers = {**request.headers, **({"Cookie": cookies} if cookies else {})}
        answer = self.send(Request(request.method, request.path, headers, request.body))
        self.requests += 1
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(value)
        return answer

    def _keep(self, header: str) -> None:
        (name, _, value), *attributes = (part.strip().partition("=") for part in header.split(";"))
        stated = {attribute.lower(): text for attribute, _, text in attributes}
        key = (stated.get("path", "/"), name)
        self._cookies.pop(key, None)
        if value and stated.get("max-age") != "0" and "1970" not in stated.get("expires", ""):
            self._cookies[key] = value


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Connection:
    """A connection to a provider on this machine that is kept open."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        if where.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise FlowError("Only this machine is put under load.")
        self._host, self._connection = where.netloc, HTTPConnection(where.netloc, timeout=30)

    def send(self, request: Request) -> Answer:
        """Send a request and return the answer; a connection that the server has just closed is opened again."""
        try:
            return self._send(request)
        except (HTTPException, ConnectionError):
            self._connection.close()
            return self._send(request)

    def _send(self, request: Request) -> Answer:
        self._connection.request(request.method, request.path, request.body or None, dict(request.headers))
        answer = self._connection.getresponse()
        headers = tuple((name.lower(), value) for name, value in answer.getheaders())
        return Answer(answer.status, headers, answer.read())


def run(site: Site, seconds: float) -> Done:
    """Log in again and again for some seconds, on one connection; for a process of its own."""
    send, flows, requests, begin = Connection(site.url).send, 0, 0, time.perf_counter()
    trouble: Any = ""
    while (passed := time.perf_counter() - begin) < seconds:
        browser = Browser(site, send)
        try:
            browser.log_in()
        except (FlowError, HTTPException, OSError, ValueError) as error:
            trouble = f"{type(error).__name__}: {error}"
            break
        flows, requests = flows + 1, requests + browser.requests
    return Done(flows, requests, passed, trouble)
