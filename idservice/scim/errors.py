"""Refusals in the words of SCIM: RFC 7644 section 3.12. Pure.

A `Problem` stays what it is everywhere in the house; below `/scim/v2` it is told in this form and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.errors import Problem

PREFIX: Final = "/scim/v2"
MEDIA_TYPE: Final = "application/scim+json"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

_TYPES: Final[Mapping[str, str]] = {
    "scim_filter": "invalidFilter",
    "scim_syntax": "invalidSyntax",
    "body_unreadable": "invalidSyntax",
    "scim_path": "invalidPath",
    "scim_no_target": "noTarget",
    "scim_value": "invalidValue",
    "scim_mutability": "mutability",
    "scim_uniqueness": "uniqueness",
    "role_taken": "uniqueness",
}


def is_below(path: str) -> bool:
    """Return whether a path belongs to the SCIM service."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def body(problem: Problem, *, language: str) -> dict[str, Any]:
    """Return the SCIM error document of a problem."""
    title = problem.kind.zh if language == "zh" else problem.kind.en
    told = {
        "schemas": [ERROR],
        "status": str(problem.kind.status),
        "detail": f"{title}: {problem.detail}" if problem.detail else title,
    }
    scim_type = _TYPES.get(problem.code)
    return told | ({"scimType": scim_type} if scim_type is not None else {})
