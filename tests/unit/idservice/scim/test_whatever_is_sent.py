"""Whatever is sent, it is understood or refused: nothing else is ever raised."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from idservice.errors import Problem
from idservice.scim import filters, patching, querying, reading, showing
from idservice.scim.patching import PATCH_OP
from idservice.scim.resource_types import GROUP, STAFF_URN, USER, USER_URN

NAMES = ["userName", "emails", "name.familyName", "active", "meta.created", "groups", f"{STAFF_URN}:counter", STAFF_URN]
WORDS = [
    *NAMES,
    "eq",
    "ne",
    "co",
    "gt",
    "pr",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    '"a"',
    "true",
    "null",
    "1",
    ".value",
]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "value", "primary"]), inner),
    max_leaves=8,
)
ROW: dict[str, Any] = {
    "userName": "a",
    "active": True,
    "emails": [{"value": "a", "type": "work"}],
    "meta": {"created": "2026-01-01T00:00:00Z"},
    STAFF_URN: {"counter": "1"},
}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=60))
def test_filters_and_paths(text: str) -> None:
    with suppress(Problem):
        for _kind, test in filters.filter_of(text, USER, GROUP):
            assert test(ROW) in {True, False}
    with suppress(Problem):
        filters.path_of(text, USER)
    querying.user_name(querying.Query(filter=text))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["add", "replace", "remove"]), st.none() | st.sampled_from(NAMES) | st.text(max_size=12), VALUES)
def test_patches(op: str, path: str | None, value: Any) -> None:
    operation = {"op": op, "value": value} | ({"path": path} if path is not None else {})
    with suppress(Problem):
        changed = patching.patched(USER, ROW, {"schemas": [PATCH_OP], "Operations": [operation]})
        assert changed.get("groups") is None
        assert json.dumps(showing.Shown().of(USER, changed))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*NAMES, "displayName", "members"]) | st.text(max_size=8), VALUES))
def test_resources(members: dict[str, Any]) -> None:
    for body in (members, {**members, "schemas": [USER_URN]}):
        with suppress(Problem):
            found = reading.resource(USER, body)
            assert not {"groups", "id", "meta", "schemas"} & set(found)
    with suppress(Problem):
        querying.of_body({**members, "schemas": [querying.SEARCH_REQUEST]})
