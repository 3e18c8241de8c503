"""A retried request gets its first answer again; nobody else does, and nothing is done twice."""

import threading
from typing import Any

import pytest
from sqlalchemy import select

from idservice.errors import Problem
from idservice.http import idempotency
from idservice.models import IdempotentRequest
from tests.builders import act
from tests.unit.idservice.http.conftest import Site, Workshop


def test_the_same_request_gets_the_same_bytes_and_no_second_deed(site: Site, workshop: Workshop) -> None:
    first = site.make({"name": "once"}, key="k1")
    again = site.make({"name": "once"}, key="k1")
    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, b'{"name":"once","turn":1}')
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.mimetype == "application/json"
    assert workshop.turns == 1
    assert site.count("once") == 1


def test_without_a_key_every_request_is_a_deed(site: Site) -> None:
    assert [site.make({"name": "often"}).json["turn"] for _ in range(2)] == [1, 2]


def test_another_body_under_the_same_key_is_refused(site: Site, workshop: Workshop) -> None:
    site.make({"name": "mine"}, key="k2")
    other = site.make({"name": "else"}, key="k2")
    assert (other.status_code, other.json["code"]) == (422, "key_reused")
    elsewhere = site.ask("POST", "/v1/test/prepared", json={"name": "mine"}, headers={"Idempotency-Key": "k2"})
    assert (elsewhere.status_code, elsewhere.json["code"]) == (422, "key_reused")
    assert (workshop.turns, workshop.prepared) == (1, [])


def test_two_callers_do_not_share_a_key(site: Site) -> None:
    mine = site.make({"name": "shared"}, key="k3")
    theirs = site.make({"name": "shared"}, key="k3", headers=site.other)
    assert (mine.json["turn"], theirs.json["turn"]) == (1, 2)
    assert "Idempotent-Replayed" not in theirs.headers


def test_a_failure_is_not_remembered(site: Site, workshop: Workshop) -> None:
    for name, status in (("fails", 409), ("breaks", 500), ("forbidden", 403)):
        assert site.make({"name": name}, key="k4").status_code == status
    assert site.make({"name": ""}, key="k4").status_code == 422
    assert site.make({"name": "works"}, key="k4").status_code == 201
    assert workshop.turns == 4


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é", "\x7f"])
def test_a_key_is_1_to_255_printable_characters(site: Site, workshop: Workshop, key: str) -> None:
    answer = site.make(key=key)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert workshop.turns == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, " a b ", '"quoted"', "'; --"])
def test_good_keys(site: Site, key: str) -> None:
    assert site.make(key=key).status_code == 201
    assert site.make(key=key).headers["Idempotent-Replayed"] == "true"


def test_an_intent_is_recorded_once(site: Site, workshop: Workshop) -> None:
    asked: dict[str, Any] = {"json": {"name": "aim"}, "headers": {"Idempotency-Key": "k5"}}
    first, again = (site.ask("POST", "/v1/test/prepared", **asked) for _ in range(2))
    assert first.data == again.data
    assert workshop.prepared == ["aim"]


def test_the_answer_is_kept_encrypted_and_bound_to_its_key(site: Site) -> None:
    site.make({"name": "private"}, key="k6")
    rows = act(site.city.house, lambda call: list(call.session.scalars(select(IdempotentRequest))))
    assert rows
    assert not any(b"private" in row.body_sealed or b"k6" in row.key_hash for row in rows)


def test_a_reading_operation_has_no_keys(site: Site) -> None:
    answer = site.ask("GET", "/v1/test/things", headers={"Idempotency-Key": "x" * 300})
    assert answer.status_code == 200


def test_two_at_once_are_one_deed(site: Site, workshop: Workshop) -> None:
    """On PostgreSQL the second is told to wait; on SQLite, where one writer is alone anyhow, it waits by itself."""
    answers: dict[str, Any] = {}

    def ask(name: str) -> None:
        answers[name] = site.make({"name": "waits"}, key="k7")

    first, second = (threading.Thread(target=ask, args=(name,)) for name in ("first", "second"))
    first.start()
    assert workshop.running.wait(timeout=60)
    second.start()
    if not site.city.house.database.is_sqlite:
        second.join(timeout=60)
        assert (answers["second"].status_code, answers["second"].json["code"]) == (409, "request_running")
        assert answers["second"].headers["Retry-After"] == "1"
    workshop.may_end.set()
    first.join(timeout=60)
    second.join(timeout=60)
    assert answers["first"].status_code == 201
    assert site.make({"name": "waits"}, key="k7").data == answers["first"].data
    assert workshop.turns == 1


def test_many_at_once_are_one_deed(site: Site, workshop: Workshop) -> None:
    answers: list[Any] = []
    start = threading.Barrier(12)

    def ask() -> None:
        start.wait(timeout=60)
        answers.append(site.make({"name": "many"}, key="k8"))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert workshop.turns == 1


def test_every_part_of_a_request_counts() -> None:
    asked = {"caller": "c", "method": "POST", "path": "/a", "body": b"b"}
    key = idempotency.key_of("k", **asked)  # type: ignore[arg-type]
    assert idempotency.key_of("k", **(asked | {"caller": "d"})).key_hash != key.key_hash  # type: ignore[arg-type]
    for name, value in (("method", "PUT"), ("path", "/b"), ("body", b"")):
        other = idempotency.key_of("k", **(asked | {name: value}))  # type: ignore[arg-type]
        assert (other.key_hash, other.request_hash != key.request_hash) == (key.key_hash, True)
    assert -(2**63) <= key.lock < 2**63
    with pytest.raises(Problem, match="invalid"):
        idempotency.key_of("\n", **asked)  # type: ignore[arg-type]
