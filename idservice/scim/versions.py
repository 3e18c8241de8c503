"""Versions of resources (ETag): RFC 7644 section 3.14, compared weakly as RFC 9110 section 13.1 has it. Pure."""

from __future__ import annotations

import re
from typing import Any

from idservice.errors import Problem

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def tag(version: str | int) -> str:
    """Return the ETag of a version."""
    return f'W/"{version}"'


def names(header: str, current: str) -> bool:
    """Return whether a list of tags, or `*`, names the current one."""
    return header.strip() == "*" or current.removeprefix("W/") in _TAG.findall(header)


def demand(if_match: str | None, resource: dict[str, Any]) -> None:
    """Let a change go on only if the resource is still at the version that the client knows.

    Raises:
        Problem: precondition_failed.
    """
    if if_match is not None and not names(if_match, resource["meta"]["version"]):
        raise Problem("precondition_failed", "Read it again, and repeat the change.")
