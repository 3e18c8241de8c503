"""`attributes` and `excludedAttributes`: RFC 7644 section 3.9."""

from typing import Any

import pytest

from idservice.errors import Problem
from idservice.scim import showing
from idservice.scim.resource_types import STAFF_URN, USER

ROW: dict[str, Any] = {
    "schemas": ["s"],
    "id": "1",
    "userName": "a",
    "title": "t",
    "name": {"familyName": "f", "givenName": "g"},
    "emails": [{"value": "v", "type": "work"}],
    STAFF_URN: {"department": "d", "counter": "c", "idNumber": "never"},
    "meta": {"version": "1"},
}
ALWAYS = {"schemas": ["s"], "id": "1", "userName": "a"}
REST = {name: value for name, value in ROW.items() if name not in {*ALWAYS, STAFF_URN}}


@pytest.mark.parametrize(
    ("only", "shown"),
    [
        (["title"], {"title": "t"}),
        (["TITLE", "nothing"], {"title": "t"}),
        (["name.givenName"], {"name": {"givenName": "g"}}),
        (["emails.value"], {"emails": [{"value": "v"}]}),
        ([f"{STAFF_URN}:counter"], {STAFF_URN: {"counter": "c"}}),
        ([STAFF_URN], {STAFF_URN: {"department": "d", "counter": "c"}}),
        ([f"{STAFF_URN}:idNumber"], {}),
        (["nothing"], {}),
    ],
)
def test_only_these(only: list[str], shown: dict[str, Any]) -> None:
    assert showing.asked(only, ()).of(USER, ROW) == ALWAYS | shown


@pytest.mark.parametrize(
    ("without", "gone"),
    [
        (["title"], {"title": None}),
        (["id", "userName", "schemas"], {}),
        (["name.givenName"], {"name": {"familyName": "f"}}),
        (["emails.type"], {"emails": [{"value": "v"}]}),
        ([f"{STAFF_URN}:counter"], {STAFF_URN: {"department": "d"}}),
        ([STAFF_URN], {STAFF_URN: None}),
    ],
)
def test_all_but_these(without: list[str], gone: dict[str, Any]) -> None:
    everything = {**ALWAYS, **REST, STAFF_URN: {"department": "d", "counter": "c"}}
    expected = {name: value for name, value in {**everything, **gone}.items() if value is not None}
    assert showing.asked((), without).of(USER, ROW) == expected


def test_what_is_never_shown_is_not_shown_by_default() -> None:
    assert "idNumber" not in showing.Shown().of(USER, ROW)[STAFF_URN]


@pytest.mark.parametrize(
    ("only", "without"), [(["a"], ["b"]), ("a", ()), ([7], ()), (["a"] * 51, ()), ((), {"a": 1}), (["a" * 300], ())]
)
def test_lists_that_are_refused(only: Any, without: Any) -> None:
    with pytest.raises(Problem):
        showing.asked(only, without)
