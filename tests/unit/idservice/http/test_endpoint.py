"""One operation: who is let in, what is read, what is answered, and what is written down of a refusal."""

import gc
import io
import json
import random
from typing import Any

import pytest

from tests.identity import AGENT, Flow, bearer, redeem
from tests.unit.idservice.http.conftest import CODE, Site, Workshop

THINGS = "/v1/test/things"


def code(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    found: str = answer.json["code"]
    return found


def test_the_answer_is_what_its_schema_says_and_no_more(site: Site) -> None:
    answer = site.make()
    assert (answer.status_code, answer.json) == (201, {"name": "thing", "turn": 1})
    assert answer.mimetype == "application/json"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_asks_is_checked_before_what_is_asked(site: Site) -> None:
    nonsense = {"data": b"{", "content_type": "text/plain"}
    assert code(site.app.test_client().post(f"{THINGS}?x=1", **nonsense), 401) == "unauthenticated"
    assert code(site.ask("GET", "/v1/test/holders?x=1"), 403) == "insufficient_scope"
    assert code(site.ask("POST", f"{THINGS}?x=1", **nonsense), 400) == "bad_request"
    assert code(site.ask("POST", THINGS, **nonsense), 415) == "media_type"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer a b", "Bearer e30.e30.", "bearer x"])
def test_without_a_good_token_nothing_is_told(site: Site, header: str) -> None:
    answer = site.ask("POST", THINGS, json={"name": "a"}, headers={"Authorization": header})
    assert code(answer, 401) == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_limit_comes_before_the_refusal_that_is_written_down(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from idservice.errors import Problem
    from idservice.http.limits import Limiter

    def full(*_: object, **__: object) -> None:
        raise Problem("too_many_requests", headers={"Retry-After": "7"})

    before = len(site.refusals())
    monkeypatch.setattr(Limiter, "check", full)
    answer = site.ask("GET", "/v1/test/holders")
    assert code(answer, 429) == "too_many_requests"
    assert answer.headers["Retry-After"] == "7"
    assert len(site.refusals()) == before


BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "body_unreadable"),
    "not_json": (b"{'name': 1}", 400, "body_unreadable"),
    "duplicate_key": (b'{"name": "a", "name": "b"}', 400, "body_unreadable"),
    "duplicate_key_by_escape": (b'{"name": "a", "nam\\u0065": "b"}', 400, "body_unreadable"),
    "nan": (b'{"name": "a", "number": NaN}', 400, "body_unreadable"),
    "infinity": (b'{"name": "a", "number": 1e999}', 400, "body_unreadable"),
    "big_integer": (b'{"name": "a", "number": ' + b"9" * 5000 + b"}", 400, "body_unreadable"),
    "deep": (b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "body_unreadable"),
    "deep_and_open": (b"[" * 100_000, 400, "body_unreadable"),
    "not_utf8": (b'{"name": "\xff"}', 400, "body_unreadable"),
    "utf16": ('{"name": "a"}'.encode("utf-16"), 400, "body_unreadable"),
    "lone_surrogate": (b'{"name": "\\ud800"}', 400, "body_unreadable"),
    "nul": (b'{"name": "a\\u0000"}', 400, "body_unreadable"),
    "two_values": (b'{"name": "a"}{"name": "b"}', 400, "body_unreadable"),
    "list": (b'[{"name": "a"}]', 422, "invalid"),
    "text": (b'"name"', 422, "invalid"),
    "null": (b"null", 422, "invalid"),
    "empty": (b"{}", 422, "invalid"),
    "wrong_type": (b'{"name": 5}', 422, "invalid"),
    "wrong_number": (b'{"name": "a", "number": "5"}', 422, "invalid"),
    "null_member": (b'{"name": null}', 422, "invalid"),
    "too_long": (b'{"name": "' + b"x" * 21 + b'"}', 422, "invalid"),
    "unknown_field": (b'{"name": "a", "colour": "red"}', 422, "invalid"),
    "unknown_field_inside": (b'{"name": "a", "inner": {"name": "b", "x": 1}}', 422, "invalid"),
    "too_large": (b'{"name": "' + b"x" * 1024 * 1024 + b'"}', 413, "too_large"),
}


@pytest.mark.parametrize(("body", "status", "expected"), BODIES.values(), ids=BODIES)
def test_a_bad_body_is_refused(site: Site, workshop: Workshop, body: bytes, status: int, expected: str) -> None:
    assert code(site.ask("POST", THINGS, data=body, content_type="application/json"), status) == expected
    assert workshop.turns == 0, "the deed was not begun"


def test_faulty_members_are_named_by_json_pointer(site: Site) -> None:
    answer = site.make({"number": "5", "a/b~c": 1, "inner": {"name": 1}})
    assert {error["pointer"] for error in answer.json["errors"]} == {"/name", "/number", "/a~1b~0c", "/inner/name"}
    whole = site.make(["a"])
    assert [error["pointer"] for error in whole.json["errors"]] == [""], "RFC 6901: the whole document"


@pytest.mark.parametrize("kind", ["text/json", "application/x-www-form-urlencoded", "", "multipart/form-data"])
def test_only_json_is_read_as_json(site: Site, kind: str) -> None:
    assert code(site.ask("POST", THINGS, data=b'{"name": "a"}', content_type=kind), 415) == "media_type"


def test_a_body_of_unknown_length_is_bounded_too(site: Site) -> None:
    body = io.BytesIO(b'{"name": "' + b"x" * 1024 * 1024 + b'"}')
    answer = site.ask(
        "POST", THINGS, input_stream=body, content_type="application/json", environ_base={"wsgi.input_terminated": True}
    )
    assert code(answer, 413) == "too_large"


def test_query_parameters(site: Site) -> None:
    assert site.ask("GET", THINGS).json["limit"] == 5
    assert site.ask("GET", f"{THINGS}?limit=7").json == {"limit": 7, "who": "client:counter"}
    assert code(site.ask("GET", f"{THINGS}?limit=7&limit=7"), 400) == "parameter_repeated"
    assert code(site.ask("GET", f"{THINGS}?limit=x"), 422) == "invalid"
    assert code(site.ask("GET", f"{THINGS}?page=2"), 422) == "invalid"
    assert code(site.ask("GET", f"{THINGS}?limit=%00"), 400) == "bad_request"
    assert code(site.app.test_client().get("/v1/test/open?x"), 400) == "bad_request"


def test_a_403_is_written_down_with_who_and_what_though_the_deed_is_undone(site: Site) -> None:
    before = len(site.refusals())
    assert code(site.make({"name": "forbidden"}), 403) == "forbidden"
    assert site.count("forbidden") == 0, "rolled back"
    refused = site.refusals()[before:]
    facts = '{"code":"forbidden","what":"things.make"}'
    assert refused == [("client:counter", "idservice:request:refuse", facts)]


def test_a_token_without_the_scope_is_written_down_with_its_client(site: Site) -> None:
    before = len(site.refusals())
    answer = site.ask("GET", "/v1/test/holders")
    assert code(answer, 403) == "insufficient_scope"
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="accesses.read"'
    facts = '{"code":"insufficient_scope","what":"things.holders"}'
    assert site.refusals()[before:] == [("client:counter", "idservice:request:refuse", facts)]


@pytest.mark.parametrize(("name", "status"), [("fails", 409), ("breaks", 500)])
def test_other_refusals_are_not(site: Site, name: str, status: int) -> None:
    before = len(site.refusals())
    assert site.make({"name": name}).status_code == status
    assert len(site.refusals()) == before


def test_a_post_used_by_a_password_is_refused_with_the_login_it_needs(site: Site) -> None:
    def ask(*, strong: bool) -> Any:
        browser, flow = site.city.browser(), Flow(scope="openid accesses.read")
        browser.log_in(number=AGENT)
        if strong:
            browser.strengthen()
        got = redeem(site.app, flow, browser.code(flow)).json["access_token"]
        return site.app.test_client().get("/v1/test/handled", headers=bearer(got))

    before = site.count("seen by the way")
    refused = ask(strong=False)
    assert code(refused, 401) == "insufficient_user_authentication"
    assert 'acr_values="urn:ona:acr:two-factor"' in refused.headers["WWW-Authenticate"]
    assert site.count("seen by the way") == before + 1, "what is noted of a refusal is noted of this one too"
    assert ask(strong=True).json == {"departments": [CODE]}
    assert site.count("seen by the way") == before + 1


def test_the_intent_is_committed_before_the_deed(site: Site, workshop: Workshop) -> None:
    answer = site.ask("POST", "/v1/test/prepared", json={"name": "good"})
    assert answer.json == {"name": "good intended", "turn": 0}
    assert code(site.ask("POST", "/v1/test/prepared", json={"name": "fails"}), 409) == "conflict"
    assert site.count("fails") == 1, "in a transaction of its own: it outlives the failure"
    assert workshop.prepared == ["good", "fails"]


def test_what_need_not_keep_the_one_writer_is_worked_out_before_it_is_taken(site: Site) -> None:
    database = site.city.house.database
    answer = site.ask("POST", "/v1/test/foreseen", json={"name": "far"})
    assert answer.json == {"foreseen": "far foreseen by counter for None" if database.is_sqlite else None}
    with database._writer.connect() as other, other.begin():
        # PostgreSQL's writers do not wait for each other, so nothing is worked out before.
        answer = site.ask("POST", "/v1/test/foreseen", json={"name": "unforeseeable"})
        assert answer.status_code == (409 if database.is_sqlite else 200)


def form(**members: Any) -> dict[str, Any]:
    return {"data": members, "content_type": "multipart/form-data"}


def test_files(site: Site) -> None:
    path = "/v1/test/files"
    assert site.ask("POST", path, **form(file=(io.BytesIO(b"12345"), "a.pdf"), word="x")).json == {"size": 5}
    assert code(site.ask("POST", path, json={"file": "text"}), 422) == "invalid"
    assert code(site.ask("POST", path, **form(file="text")), 422) == "invalid"
    two = [(io.BytesIO(b"1"), "a"), (io.BytesIO(b"2"), "b")]
    assert code(site.ask("POST", path, **form(file=two)), 400) == "parameter_repeated"
    assert code(site.ask("POST", path, **form(file=(io.BytesIO(b"1"), "a"), word=["x", "y"])), 400)
    assert code(site.ask("POST", path, **form(file=["text", (io.BytesIO(b"1"), "a")])), 400) == "parameter_repeated"
    assert code(site.ask("POST", path, **form(file=(io.BytesIO(b"1"), "a"), other="x")), 422) == "invalid"
    assert code(site.ask("POST", path, **form(file=(io.BytesIO(b"1"), "a"), word="\0")), 400) == "bad_request"
    assert code(site.ask("POST", path, **form(**{f"m{n}": "x" for n in range(200)})), 413) == "too_large"
    assert code(site.ask("POST", path, data=b"--x", content_type="multipart/form-data; boundary=y"), 422)
    assert code(site.ask("POST", path, data=b"x", content_type="multipart/form-data"), 422) == "invalid"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the half-read file is closed late
def test_a_large_file_is_refused(site: Site) -> None:
    large = form(file=(io.BytesIO(bytes(20 * 1024 * 1024 + 1)), "a"))
    assert code(site.ask("POST", "/v1/test/files", **large), 413) == "too_large"
    gc.collect()


def test_two_forms_are_never_taken_for_one(site: Site) -> None:
    """The key remembers what was asked: members that would run into each other are another request."""
    headers = {"Idempotency-Key": "forms"}
    one = site.ask("POST", "/v1/test/files", headers=headers, **form(file=(io.BytesIO(b"1word\0x"), "a")))
    assert one.status_code == 200
    other = site.ask("POST", "/v1/test/files", headers=headers, **form(file=(io.BytesIO(b"1"), "a"), word="x"))
    assert code(other, 422) == "key_reused"


def test_a_fault_says_nothing_of_the_inside(site: Site) -> None:
    answer = site.make({"name": "breaks"})
    assert code(answer, 500) == "internal"
    assert "secret" not in answer.text
    assert answer.json["request_id"]


def test_mutants_of_a_body_are_answered(site: Site) -> None:
    chance, good = random.Random(7), json.dumps({"name": "a", "number": 1, "inner": {"name": "b"}}).encode()
    for _ in range(400):
        mutant = bytearray(good)
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(mutant))
            mutant[place : place + chance.randint(0, 2)] = chance.choices(b'"{}[],:\\u0\x00\xff19e-', k=2)
        answer = site.ask("POST", THINGS, data=bytes(mutant), content_type="application/json")
        assert answer.status_code in {201, 400, 422}, (bytes(mutant), answer.text)
