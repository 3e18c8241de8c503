"""各场景共用：登录、调用接口、核对用证记录。What the scenes share: logging in, calling the API, checking looks.

Nothing but the standard library: whatever language your counter system is written in, it can do the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

CHECK_ACCESS = Path(__file__).resolve().parent.parent / "check_access.py"
SECONDS = 20
_MOST_PAGES = 8
_NUMBER = re.compile(r'class="ona-asked__number"><strong>(\d+)<')
SEEN_WITHIN = 15  # seconds: the log takes a look up a few seconds after it was recorded


class Refused(Exception):
    """The service refused: `code` is the problem's stable name (RFC 9457), `told` the whole problem document."""

    def __init__(self, status: int, told: dict[str, Any]) -> None:
        named = "、".join(str(one.get("pointer")) for one in told.get("errors") or ())
        super().__init__(f"{status} {told.get('code')}: {told.get('detail') or told.get('title')} {named}".rstrip())
        self.status, self.told, self.code = status, told, str(told.get("code"))


class WrongTurnError(Exception):
    """The story did not go as it should: something is broken."""


def tell(text: str) -> None:
    """Say one line of the story."""
    print(text, flush=True)


def demand(holds: bool, what: str) -> None:
    """Stop the story unless something holds."""
    if not holds:
        raise WrongTurnError(what)


@dataclass
class Asker:
    """Somebody with an access token."""

    city: City
    token: str = field(repr=False)

    def get(self, path: str) -> Any:
        """Return what stands at a path, decoded."""
        return self.city.call("GET", path, self.token)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send a body and return the answer, decoded."""
        return self.city.call("POST", path, self.token, body)


class City:
    """The city of a FILE that `flask demo` wrote."""

    def __init__(self, file: str | Path) -> None:
        self.members: dict[str, Any] = json.loads(Path(file).read_text("utf-8"))
        self.issuer: str = self.members["issuer"]
        self._open = build_opener(ProxyHandler({}))
        self.metadata = self.call("GET", "/.well-known/openid-configuration")  # endpoints are never guessed

    def person(self, number: str) -> dict[str, Any]:
        """Return the account of the person with that number."""
        return self._one("people", "id_number", number)

    def organisation(self, place: int) -> dict[str, Any]:
        """Return one of the organisations."""
        found: dict[str, Any] = self.members["organisations"][place]
        return found

    def clerk(self, counter: str) -> dict[str, Any]:
        """Return the clerk at a counter."""
        return self._one("clerks", "counter", counter)

    def system(self, name: str, scope: str | None = None) -> Asker:
        """Log a system in by itself (client credentials, RFC 6749 section 4.4)."""
        client = self._one("clients", "name", name)
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        return Asker(self, self._token(form, headers))

    def log_in(self, person: dict[str, Any], scope: str, *, acting: str | None = None) -> Asker:
        """Log a person in with number and password, as himself or for the organisation `acting` (part of its name)."""
        client = self._one("clients", "name", "app-public")
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        asked = {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": client["redirect_uris"][0],
            "scope": scope,
            "state": state,
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        address = f"{self.metadata['authorization_endpoint']}?{urlencode(asked)}"
        arrived = _Browser(client["redirect_uris"][0]).walk(address, person, acting=acting)
        answer = {name: values[0] for name, values in parse_qs(urlsplit(arrived).query).items()}
        demand(answer.get("state") == state and answer.get("iss") == self.issuer, f"a stranger's answer: {answer}")
        form = {"grant_type": "authorization_code", "code": answer["code"], "code_verifier": verifier}
        form |= {"redirect_uri": client["redirect_uris"][0], "client_id": client["client_id"]}
        return Asker(self, self._token(form, {}))

    def answer_on_the_phone(self, person: dict[str, Any], qr_text: str) -> str:
        """Scan what a counter shows, agree with the first licence that can answer, and return the number to compare."""
        page = _Browser().walk(qr_text, person, until=_NUMBER)
        return _NUMBER.search(page).group(1)  # type: ignore[union-attr]

    def call(self, method: str, path: str, token: str | None = None, body: dict[str, Any] | None = None) -> Any:
        """Call the API and return the decoded answer; raises `Refused`."""
        headers = {"Content-Type": "application/json"} | (_bearer(token) if token else {})
        data = json.dumps(body).encode() if body is not None else None
        return json.loads(self.bytes(Request(urljoin(self.issuer, path), data, headers, method=method)))

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a file as anybody can, and return the answer, decoded."""
        edge = secrets.token_hex(16)
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        data = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        return json.loads(self.bytes(Request(urljoin(self.issuer, path), data, headers)))

    def bytes(self, request: Request) -> bytes:
        """Send a request and return the body of the answer; raises `Refused`."""
        try:
            with self._open.open(request, timeout=SECONDS) as answer:
                found: bytes = answer.read()
                return found
        except HTTPError as error:
            raise Refused(error.code, json.loads(error.read() or b"{}")) from None

    def _token(self, form: dict[str, str], headers: dict[str, str]) -> str:
        request = Request(self.metadata["token_endpoint"], urlencode(form).encode(), headers)
        return str(json.loads(self.bytes(request))["access_token"])

    def _one(self, kind: str, name: str, value: str) -> dict[str, Any]:
        return next(entry for entry in self.members[kind] if entry[name] == value)


def look_up(
    counter: Asker, matter: str, clerk: dict[str, Any], subject: str, authorisation: dict[str, Any], **more: Any
) -> dict[str, dict[str, Any]]:
    """Look the proofs of a matter up as a clerk: purpose, authorisation and case first; return what came, by proof."""
    body = {
        "matter": matter,
        "subject": {"number": subject},
        "authorisation": authorisation,
        "purpose": "窗口办理（演示）",
        "case_number": f"DEMO-{secrets.token_hex(4)}",
        "department": clerk["department"],
        "operator": {"id_number": clerk["id_number"], "counter": clerk["counter"]},
    }
    found = counter.post("/v1/lookups", body | more)
    return {proof["proof"]: proof for proof in found["proofs"]}


def tell_looks(holder: Asker, *, how_many: int, **which: str) -> list[dict[str, Any]]:
    """Tell the holder of his latest looks of that kind, check offline that each stands in the log, and return them."""
    known = holder.get("/v1/accesses")["items"]
    looks = [look for look in known if all(look[name] == value for name, value in which.items())][:how_many]
    demand(len(looks) == how_many, f"{how_many} looks were to be on record, {len(looks)} are")
    for look in looks:
        facts = f"{look['unit']}，{look['who']}，{look['purpose']}，字段 {'、'.join(look['fields']) or '无 none'}"
        tell(f"    {look['at']}  {facts}")
        demand(_is_proved(holder, look["id"]), "a look is not in the log")
        tell("    已核对：这一条在防篡改日志里 checked: it stands in the tamper-evident log")
    return looks


def run(story: Any) -> int:
    """Run a story over the FILE named on the command line; return the exit status: 0 told to its end, 1 not."""
    if len(sys.argv) != 2:
        print(f"用法 usage: python {sys.argv[0]} FILE    （FILE：演示市写出的说明文件 the file the demo writes)")
        return 1
    try:
        story(City(sys.argv[1]))
    except (Refused, WrongTurnError, OSError) as error:
        print(f"没有办成 It went wrong: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    tell("办成 Done.")
    return 0


def _is_proved(holder: Asker, access: str) -> bool:
    key = holder.city.bytes(Request(urljoin(holder.city.issuer, "/log/key"))).decode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "proof.json"
        file.write_text(json.dumps(_proof(holder, access)), "utf-8")
        command = [sys.executable, str(CHECK_ACCESS), str(file), "--key", key.strip()]
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def _proof(holder: Asker, access: str) -> Any:
    deadline = time.monotonic() + SEEN_WITHIN
    while True:
        try:
            return holder.get(f"/v1/accesses/{access}/proof")
        except Refused as refusal:
            if refusal.code != "not_in_log_yet" or time.monotonic() > deadline:
                raise
            time.sleep(0.3)


class _Browser:
    """As much of a browser as these pages need: cookies, forms, redirects up to the app's own address."""

    def __init__(self, redirect_uri: str | None = None) -> None:
        self.redirect_uri = redirect_uri
        self.arrived: str | None = None
        # As browsers do, trust loopback with a cookie marked Secure: the demonstration has no https.
        cookies = CookieJar(DefaultCookiePolicy(secure_protocols=("https", "http")))
        self.opener: OpenerDirector = build_opener(ProxyHandler({}), HTTPCookieProcessor(cookies), _StopAt(self))

    def walk(
        self, address: str, person: dict[str, Any], *, acting: str | None = None, until: re.Pattern[str] | None = None
    ) -> str:
        """Answer every page on the way as the person would; return the app's address or the page showing `until`."""
        wanted = {name: str(person[of]) for name, of in (("number", "id_number"), ("password", "password"))}
        where, page = self._open(Request(address))
        for _page in range(_MOST_PAGES):
            if self.arrived is not None:
                return self.arrived
            if until is not None and until.search(page):
                return page
            action, inputs = _Forms(page).first(wanted, acting)
            where, page = self._open(Request(urljoin(where, action), urlencode(inputs).encode()))
        raise WrongTurnError(f"no way through: {where}")

    def _open(self, request: Request) -> tuple[str, str]:
        try:
            with self.opener.open(request, timeout=SECONDS) as answer:
                return answer.url, answer.read().decode()
        except HTTPError as error:
            if self.arrived is not None:
                return self.arrived, ""
            raise Refused(error.code, {"code": "page", "detail": error.url}) from None


class _StopAt(HTTPRedirectHandler):
    """Follow redirects, but not into the app: nobody listens there in these scenes."""

    def __init__(self, browser: _Browser) -> None:
        self.browser = browser

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if self.browser.redirect_uri is not None and newurl.startswith(self.browser.redirect_uri):
            self.browser.arrived = newurl
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Forms(HTMLParser):
    """The forms of a page: where each posts to, its inputs, and what stands beside each radio button."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.labels: dict[str, str] = {}
        self._radio: str | None = None
        self.feed(page)

    def first(self, wanted: dict[str, str], acting: str | None) -> tuple[str, dict[str, str]]:
        """Return the first form that asks a person something, filled in: what he agrees to, and as whom."""
        for action, inputs in self.forms:
            known = {name: wanted[name] for name in wanted.keys() & inputs.keys()}
            if "acting" in inputs:
                named = (value for value, label in self.labels.items() if acting and acting in label)
                known["acting"] = next(named, "self")
            if known or inputs.get("decision") in {"allow", "give"}:
                return action, inputs | known
        raise WrongTurnError("a page that the story does not know")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, an input or a button; of several that share a name the first stands."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found.get("action", ""), {}))
        elif tag in {"input", "button"} and self.forms and found.get("name"):
            self.forms[-1][1].setdefault(found["name"], found.get("value", ""))
            if found.get("type") == "radio":
                self._radio = found.get("value")

    def handle_data(self, data: str) -> None:
        """Note what stands beside a radio button."""
        if self._radio is not None and data.strip():
            self.labels[self._radio] = data.strip()
            self._radio = None


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
