"""A form that is posted twice makes one thing; with other content its key is refused."""

import json

import pytest
from flask import Flask

from idservice.call import Caller, House
from idservice.errors import Problem
from idservice.http import idempotency
from seals import form_once
from tests.builders import act

OFFICER = Caller(channel="page", person="a" * 32)


def post(house: House, made: list[str], *, caller: Caller = OFFICER, **form: str) -> str:
    def make() -> str:
        made.append(f"thing-{len(made)}")
        return made[-1]

    with Flask(__name__).test_request_context("/things", method="POST", data=form):
        return act(house, lambda call: form_once.once(call, make), caller=caller)


def test_it_is_made_once_for_each_key_and_person(house: House) -> None:
    made: list[str] = []
    first = post(house, made, idempotency_key="k1", csrf_token="x", name="a")
    assert post(house, made, idempotency_key="k1", csrf_token="y", name="a") == first == "thing-0"
    with pytest.raises(Problem, match="key_reused"):
        post(house, made, idempotency_key="k1", name="b")
    other = Caller(channel="page", person="b" * 32)
    assert post(house, made, caller=other, idempotency_key="k1", name="a") == "thing-1"
    assert [post(house, made, name="a") for _ in range(2)] == ["thing-2", "thing-3"], "without a key each is a deed"


def test_what_was_made_before_is_known_ahead(house: House) -> None:
    made: list[str] = []
    form = {"idempotency_key": "k2", "name": "a"}

    def before() -> str | None:
        with Flask(__name__).test_request_context("/things", method="POST", data=form):
            return act(house, form_once.made_before, caller=OFFICER)

    assert before() is None
    assert post(house, made, **form) == before()


def test_what_an_older_version_made_is_known_by_the_name_it_had_there(house: House) -> None:
    form = {"idempotency_key": "k3", "name": "a"}
    with Flask(__name__).test_request_context("/things", method="POST", data=form):
        old = json.dumps({"identifier": "1.2.156.3005.2"}).encode()
        act(house, lambda call: idempotency.remember(call, form_once._key(call), 303, old), caller=OFFICER)
        assert act(house, form_once.made_before, caller=OFFICER) == "1.2.156.3005.2"
