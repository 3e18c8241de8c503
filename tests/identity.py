"""A small city for the tests of login and OAuth, and a browser that walks through it by filling in forms."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from sqlalchemy import insert, update

from idservice.call import Call, House
from idservice.ids import secret_hash
from idservice.login import session
from idservice.models import LoginSession, Password
from idservice.numbers import citizen, credit_code
from idservice.oauth import clients
from idservice.register import mandates, organisations, people
from keys.base64url import b64u, unb64u
from tests.builders import TWO_FACTORS, act, build_app, house_of

ISSUER = "http://127.0.0.1:8000"
PASSWORD = "a long demonstration password"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
SECRET = "s" * 40
CALLBACK = "http://127.0.0.1:4001/cb"
AFTER_LOGOUT = "http://127.0.0.1:4001/bye"
OFFLINE = "openid offline_access"
HOLDER_SCOPE = "openid profile phone offline_access licences.read accesses.read consents.manage sessions.manage"


def citizen_number(body: str) -> str:
    return body + citizen.check_character(body)


def company_code(body: str) -> str:
    body += credit_code.inner_check_character(body[8:])
    return body + credit_code.check_character(body)


ALICE = citizen_number("37160219900307123")
AGENT = citizen_number("37160219850612002")
STRANGER = citizen_number("37160219790101221")  # never enrolled
COMPANY = company_code("9137160210002000")


@dataclass
class City:
    """The application with its people and apps."""

    app: Flask
    house: House
    alice: str
    agent: str
    company: str
    mandate: str
    key: ec.EllipticCurvePrivateKey

    def browser(self) -> Browser:
        return Browser(self.app)


def build_city(directory: Path, database_url: str, **settings: object) -> City:
    app = build_app(directory, database_url, **settings)
    house = house_of(app)
    key = ec.generate_private_key(ec.SECP256R1())

    def seed(call: Call) -> City:
        alice = people.enrol(call, number=ALICE, name="王小明", phone="13800001234", level=3)
        agent = people.enrol(call, number=AGENT, name="李晓华", level=2)
        company = organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司")
        mandate = mandates.grant(call, person=agent, principal=company, role="agent")
        for subject in (alice, agent):
            give_password(call, subject)
        _register_clients(call, key)
        return City(app, house, alice, agent, company, mandate, key)

    return act(house, seed)


def give_password(call: Call, subject: str) -> None:
    """Let a person without a password log in with PASSWORD, hashed at next to no cost: few tests are about its cost."""
    row = {"subject": subject, "hash": _HASH, "changed_at": call.now, "failures": 0, "locked_until": None}
    call.session.execute(insert(Password), row)


def _register_clients(call: Call, key: ec.EllipticCurvePrivateKey) -> None:
    grants = ["authorization_code", "refresh_token"]
    people_app: dict[str, Any] = {
        "unit": "滨州市示范单位",
        "grant_types": grants,
        "scope": HOLDER_SCOPE,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [AFTER_LOGOUT],
    }
    for client_id, method in (
        ("basic", "client_secret_basic"),
        ("other", "client_secret_basic"),
        ("post", "client_secret_post"),
    ):
        clients.register(
            call, client_id=client_id, name=f"应用 {client_id}", auth_method=method, secret=SECRET, **people_app
        )
    clients.register(call, client_id="public", name="手机应用", auth_method="none", **people_app)
    clients.register(
        call,
        client_id="jwt",
        name="签名应用",
        auth_method="private_key_jwt",
        jwks={"keys": [public_jwk(key)]},
        **people_app,
    )
    for client_id in ("sector-a", "sector-b"):
        clients.register(
            call,
            client_id=client_id,
            name=client_id,
            auth_method="client_secret_basic",
            secret=SECRET,
            sector="same",
            **people_app,
        )
    clients.register(
        call,
        client_id="counter",
        name="综合窗口",
        unit="滨州市政务服务中心",
        auth_method="client_secret_basic",
        secret=SECRET,
        grant_types=["client_credentials"],
        scope="verifications.create lookups.create matters.read",
        departments=["*"],
    )


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (b64u(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k1", "alg": "ES256", "use": "sig"}


def claims_of(jwt: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(unb64u(jwt.split(".")[1]))
    return claims


def header_of(jwt: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(unb64u(jwt.split(".", maxsplit=1)[0]))
    return header


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


class _Forms(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append({"action": found.get("action") or "", "values": {}})
        elif tag in {"input", "button"} and self.forms and (name := found.get("name")):
            kind = found.get("type", "text")
            if kind == "submit" or tag == "button" or (kind in {"radio", "checkbox"} and "checked" not in found):
                return
            self.forms[-1]["values"][name] = found.get("value") or ""


@dataclass
class Page:
    """What the browser shows."""

    status: int
    url: str
    text: str
    headers: Any

    @property
    def asks_to_log_in(self) -> bool:
        """Return whether this is the login page, at its own address or at the one of the request that needs it."""
        return "<form" in self.text and self.form["action"] == "/login"

    @property
    def form(self) -> dict[str, Any]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms[0]

    def in_language(self, tongue: str) -> str:
        """Return where the link leads by which this page is shown in a language."""
        link = re.search(f'href="([^"]*lang={tongue})"', self.text)
        assert link is not None
        return urljoin(self.url, html.unescape(link[1]))


@dataclass
class Flow:
    """One authorization request: what the app must remember of it."""

    client_id: str = "basic"
    scope: str = "openid"
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    def url(self, **changes: str | None) -> str:
        challenge = b64u(hashlib.sha256(self.verifier.encode()).digest())
        query: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        query |= changes
        return "/oauth/authorize?" + urlencode({name: value for name, value in query.items() if value is not None})


class Browser:
    """A visitor's browser: keeps cookies, follows redirects on this site, stops at those that leave it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def open(self, url: str, form: dict[str, str] | None = None, *, method: str | None = None) -> Page:
        verb = method or ("GET" if form is None else "POST")
        for _ in range(12):
            body = urlencode(form) if form is not None else None
            kind = "application/x-www-form-urlencoded" if form is not None else None
            answer = self.client.open(url, method=verb, data=body, content_type=kind, headers={"Accept": "text/html"})
            location = answer.headers.get("Location")
            if answer.status_code in {301, 302, 303, 307, 308} and location is not None:
                assert answer.status_code == 303, "a form post must never be repeated elsewhere"
                if not location.startswith("/"):
                    return Page(303, location, "", answer.headers)
                url, form, verb = location, None, "GET"
                continue
            return Page(answer.status_code, url, answer.text, answer.headers)
        raise AssertionError("too many redirects")

    def submit(self, page: Page, **values: str) -> Page:
        return self.open(page.form["action"], {**page.form["values"], **values})

    def log_in(self, page: Page | None = None, *, number: str = ALICE, password: str = PASSWORD) -> Page:
        return self.submit(page or self.open("/login"), number=number, password=password)

    def strengthen(self) -> None:
        """Have the login count as one with a second factor: a code is good once, and tests do not wait for the next."""
        cookie = self.client.get_cookie(session.COOKIE)
        assert cookie is not None
        of_this = LoginSession.id_hash == secret_hash(cookie.value)
        stronger = update(LoginSession).where(of_this).values(amr=list(TWO_FACTORS))
        act(house_of(self.app), lambda call: call.session.execute(stronger))

    def code(self, flow: Flow, *, number: str = ALICE, acting: str = "self", **changes: str | None) -> str:
        """Walk the whole way and return the code."""
        page = self.open(flow.url(**changes))
        if page.asks_to_log_in:
            page = self.log_in(page, number=number)
        if 'name="acting"' in page.text:
            page = self.submit(page, acting=acting)
        if page.status == 200:
            page = self.submit(page, decision="allow")
        assert page.status == 303, page.text
        answer = answer_of(page)
        assert answer.get("state") == flow.state
        assert answer["iss"] == ISSUER
        return answer["code"]


def answer_of(page: Page) -> dict[str, str]:
    """Return the parameters an app receives at its redirect URI."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query, strict_parsing=True).items()}


def token(app: Flask, form: dict[str, str], headers: dict[str, str] | None = None, path: str = "/oauth/token") -> Any:
    return app.test_client().post(path, data=form, headers=headers or {})


def redeem(app: Flask, flow: Flow, code: str, **changes: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": flow.redirect_uri,
        "code_verifier": flow.verifier,
        **changes,
    }
    if flow.client_id == "public":
        return token(app, {"client_id": "public", **form})
    if flow.client_id == "post":
        return token(app, {"client_id": "post", "client_secret": SECRET, **form})
    return token(app, form, basic(flow.client_id))


def bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}


def introspect(city: City, text: str, client_id: str = "basic") -> dict[str, Any]:
    answer = token(city.app, {"token": text}, basic(client_id), "/oauth/introspect")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def query_of(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query)


def logged_in(city: City, flow: Flow | None = None, **walk: str) -> dict[str, str]:
    flow = flow or Flow(scope=OFFLINE)
    answer = redeem(city.app, flow, city.browser().code(flow, **walk))
    assert answer.status_code == 200, answer.text
    return answer.json


def refresh(city: City, refresh_token: str, client_id: str = "basic", **more: str) -> Any:
    return token(city.app, {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}, basic(client_id))


def userinfo_status(city: City, access_token: str) -> int:
    return city.app.test_client().get("/oauth/userinfo", headers=bearer(access_token)).status_code


def is_alive(city: City, got: dict[str, str]) -> bool:
    active = introspect(city, got["access_token"])["active"]
    assert active is (userinfo_status(city, got["access_token"]) == 200), "two paths, one answer"
    return active
