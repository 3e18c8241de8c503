"""Refusals in SCIM's form: RFC 7644 section 3.12."""

import pytest

from idservice.errors import Problem
from idservice.scim import errors


@pytest.mark.parametrize(
    ("code", "status", "scim_type"),
    [
        ("scim_filter", "400", "invalidFilter"),
        ("body_unreadable", "400", "invalidSyntax"),
        ("scim_uniqueness", "409", "uniqueness"),
        ("scim_mutability", "400", "mutability"),
        ("precondition_failed", "412", None),
        ("not_found", "404", None),
        ("internal", "500", None),
    ],
)
def test_a_refusal(code: str, status: str, scim_type: str | None) -> None:
    found = errors.body(Problem(code, "So it is."), language="en")
    assert (found["schemas"], found["status"], found.get("scimType")) == ([errors.ERROR], status, scim_type)
    assert found["detail"].endswith(": So it is.")


@pytest.mark.parametrize(
    ("path", "below"), [("/scim/v2", True), ("/scim/v2/x", True), ("/scim/v20", False), ("/", False)]
)
def test_where_it_is_spoken(path: str, below: bool) -> None:
    assert errors.is_below(path) is below
