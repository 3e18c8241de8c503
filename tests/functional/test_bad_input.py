"""Bad input at every door of the house at once: each route there is, found in the map and not in a list, refuses it.

What a single door refuses in particular is tested beside it; here no answer may be a fault, and every refusal of a
program's request is a problem document (or OAuth's own form) with a stable code.
"""

from __future__ import annotations

import io
import random
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.identity import City, basic, bearer, token

ODD_TEXTS = [
    *("", " ", "\0", "\x7f", "\u202e", "\ufeff", "\uffff", "😀" * 50, "é", "%", "%00", "%ff", "..", "../../etc/passwd"),
    *("'; DROP TABLE person; --", '"', "<script>alert(1)</script>", "{{7*7}}", "${7*7}", "-1", "1e400", "null", "[]"),
    "x" * 5000,
]
ODD_HEADERS: list[dict[str, str]] = [
    {"Authorization": "Basic"},
    {"Authorization": "Basic ////"},
    {"Authorization": "Basic w6k6w6k="},
    {"Authorization": "Bearer " + "e30." * 500},
    {"Authorization": "Bearer \u00e9"},
    {"Cookie": "__Host-ona-session=\u00e9; __Host-ona-form=x.y.z; ona_lang=\\; ="},
    {"Cookie": "; ;=;__Host-ona-session"},
    {"Accept": "text/html;q=x, */*;q=, /"},
    {"Accept-Language": "zh;q=99999999999999999999, -, en-"},
    {"Content-Type": "application/json; charset=\u00e9"},
    {"Content-Type": "multipart/form-data; boundary="},
    {"Content-Length": "-1"},
    {"Host": "evil.example"},
    {"Host": "a b"},
    {"Range": "bytes=99999999999-1"},
    {"If-None-Match": '"\u00e9', "If-Modified-Since": "yesterday"},
    {"X-Forwarded-For": "'", "X-Forwarded-Host": "evil.example", "X-HTTP-Method-Override": "DELETE"},
    {"Idempotency-Key": "\u00e9"},
]
BODIES: list[tuple[str, bytes]] = [
    ("application/json", b"["),
    ("application/json", b"[" * 50_000),
    ("application/json", b'{"a":' * 50_000),
    ("application/json", b'{"text": "\\ud800"}'),
    ("application/json", b'{"text": "\\u0000"}'),
    ("application/json", b"\xff\xfe{\x00}\x00"),
    ("application/json", b"9" * 100_000),
    ("application/json", b"NaN"),
    ("application/x-www-form-urlencoded", b"a=1&a=2&number=1&number=2&grant_type=x&grant_type=y&token=a&token=b"),
    ("application/x-www-form-urlencoded", b"number=%00&password=%00&token=%00&grant_type=%00&client_id=%00&to=%00"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(5000))),
    ("application/x-www-form-urlencoded", b"%ff=%fe&=&&;%"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\r\n\r\n"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="\0"\r\n\r\n\0\r\n',
    ),
    ("text/xml", b'<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'),
    ("", b"\0" * 1000),
    ("application/json", b'{"text": "' + b"x" * 1_100_000 + b'"}'),
]

#: They answer whatever is sent: one says goodbye to a stranger, one takes no body and gives a nonce.
SAYS_GOODBYE = {"/oauth/end_session"}
TAKES_NOTHING = {"/openid4vci/nonce"}
# Werkzeug closes the spooled file of an unfinished part when it is forgotten, not when the part is refused.
half_read = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def machine(city: City) -> dict[str, str]:
    answer = token(city.app, {"grant_type": "client_credentials"}, basic("counter"))
    return bearer(answer.json["access_token"])


def doors(city: City) -> list[tuple[str, Rule]]:
    """Return every method and rule of the application."""
    found = [
        (method, rule)
        for rule in city.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    assert len(found) > 40
    return found


def path_of(rule: Rule, value: str) -> str:
    parts = [value if is_dynamic else data for is_dynamic, data in rule._trace]
    return "".join(parts).lstrip("|")


def send(city: City, method: str, path: str, **more: Any) -> TestResponse:
    more.setdefault("headers", {})
    answer: TestResponse = city.app.test_client(use_cookies=False).open(path, method=method, buffered=True, **more)
    if path.startswith("/readyz") and answer.status_code == 503:
        return answer  # nothing sequences the audit log here: after a minute the city says so where it is asked
    assert answer.status_code < 500, (method, path, answer.text[:500])
    if answer.status_code >= 400 and answer.mimetype != "text/html":
        document = answer.get_json(silent=True)
        assert document, (method, path, answer.text[:200])
        stable = ("status",) if path.startswith("/scim/") else ("code", "error")  # RFC 7644 section 3.12
        assert any(document.get(member) for member in stable), (method, path, document)
        assert "Traceback" not in answer.text
    return answer


@pytest.mark.parametrize("value", ODD_TEXTS, ids=lambda value: ascii(value)[:20])
def test_odd_text_in_every_place_of_every_path(city: City, machine: dict[str, str], value: str) -> None:
    for method, rule in doors(city):
        if rule.arguments:
            send(city, method, path_of(rule, quote(value, safe="")), headers=machine)


@pytest.mark.parametrize("value", ODD_TEXTS[:18], ids=lambda value: ascii(value)[:20])
def test_odd_text_in_every_query(city: City, machine: dict[str, str], value: str) -> None:
    names = (
        "to",
        "lang",
        "cursor",
        "limit",
        "type",
        "state",
        "client_id",
        "redirect_uri",
        "scope",
        "id_token_hint",
        "form",
    )
    for method, rule in doors(city):
        send(city, method, path_of(rule, "1"), query_string=dict.fromkeys(names, value), headers=machine)


def test_a_repeated_parameter_at_every_door(city: City, machine: dict[str, str]) -> None:
    twice = "?client_id=a&client_id=b&limit=1&limit=2&to=/a&to=/b&lang=en&lang=zh&scope=openid&scope=x"
    for method, rule in doors(city):
        send(city, method, path_of(rule, "1") + twice, headers=machine)


@pytest.mark.parametrize("headers", ODD_HEADERS, ids=lambda headers: ascii(headers)[:40])
def test_odd_headers_at_every_door(city: City, headers: dict[str, str]) -> None:
    for method, rule in doors(city):
        send(city, method, path_of(rule, "1"), headers=headers)


@half_read
@pytest.mark.parametrize(("kind", "body"), BODIES, ids=[f"{kind[:24]}-{body[:12]!r}" for kind, body in BODIES])
@pytest.mark.parametrize("is_known", [False, True], ids=["nobody", "machine"])
def test_odd_bodies_at_every_door(city: City, machine: dict[str, str], kind: str, body: bytes, is_known: bool) -> None:
    for method, rule in doors(city):
        if method != "GET":
            sent = {"input_stream": io.BytesIO(body), "content_length": len(body), "content_type": kind}
            answer = send(city, method, path_of(rule, "1"), headers=machine if is_known else {}, **sent)
            assert answer.status_code >= 300 or rule.rule in SAYS_GOODBYE | TAKES_NOTHING, "nothing of this is a deed"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "A" * 200])
def test_a_method_nobody_offers(city: City, method: str) -> None:
    for path in sorted({path_of(rule, "1") for _method, rule in doors(city)}):
        answer = send(city, method, path)
        assert answer.status_code in {400, 401, 403, 404, 405, 308}, (method, path)
        if answer.status_code == 405:
            assert answer.headers["Allow"]


def test_paths_that_lead_nowhere(city: City) -> None:
    for path in (
        "//",
        "/..",
        "/%2e%2e/",
        "/static/../wsgi.py",
        "/static/..%2f..%2fwsgi.py",
        "/static//etc/passwd",
        "/\\",
    ):
        assert send(city, "GET", path).status_code in {400, 404, 308}
    assert send(city, "GET", "/" + "a/" * 3000).status_code == 404


def test_no_host_is_taken_from_the_caller(city: City) -> None:
    for path in ("/v1/", "/.well-known/openid-configuration", "/openapi.json", "/login", "/me"):
        answer = send(city, "GET", path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in answer.text + str(answer.headers)


@half_read
def test_mutants_of_whole_requests(city: City, machine: dict[str, str]) -> None:
    chance = random.Random(20261122)
    known = doors(city)
    for _ in range(300):
        method, rule = chance.choice(known)
        kind, body = chance.choice(BODIES[:-1])
        mutant = bytearray(body[:300])
        for _ in range(chance.randint(0, 4)):
            mutant.insert(chance.randint(0, len(mutant)), chance.randrange(256))
        headers = machine | {k: v for k, v in chance.choice(ODD_HEADERS).items() if not k.startswith("Content")}
        sent = {"input_stream": io.BytesIO(bytes(mutant)), "content_length": len(mutant), "content_type": kind}
        send(city, method, path_of(rule, chance.choice(("1", "%00", "é", "0" * 32))), headers=headers, **sent)
