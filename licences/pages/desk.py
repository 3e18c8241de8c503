"""Whose desk an officer's page is: the department that is named, or the first of his."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from idservice.call import Post
from idservice.errors import Problem

if TYPE_CHECKING:
    from idservice.call import Call


def department_of(call: Call) -> str:
    """Return the department whose desk this is.

    Raises:
        Problem: forbidden, where he serves no such department.
    """
    mine = sorted(call.caller.departments_as(Post.OFFICER))
    named = request.values.get("department")
    if named is not None and named not in mine:
        raise Problem("forbidden", "You serve no such department.")
    return named or mine[0]
