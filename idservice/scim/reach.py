"""Whose staff a caller sees and changes (管辖范围): asked once, before anything else.

A client acts for the departments it is registered for, and for no other: what lies outside does not exist for it. A
person must be an administrator with a strong login; he sees every department, and changes the administrators' groups
alone, by the rules of `admin.acts`: nobody gives a post or ends an account of a department by himself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idservice.admin import roles
from idservice.errors import Problem

if TYPE_CHECKING:
    from idservice.call import Call


@dataclass(frozen=True, slots=True)
class Reach:
    """The departments within reach, None for all; and whether it is an administrator who reaches."""

    departments: frozenset[str] | None
    is_administrator: bool = False

    def covers(self, department: str) -> bool:
        """Return whether the department is within reach."""
        return self.departments is None or department in self.departments

    def demand_change(self) -> None:
        """Refuse an administrator who would change what is a department's own affair.

        Raises:
            Problem: forbidden.
        """
        if self.is_administrator:
            raise Problem("forbidden", "Accounts and posts are changed by the department's own directory.")


def of(call: Call) -> Reach:
    """Return the caller's reach.

    Raises:
        Problem: forbidden; or what `roles.demand` asks for.
    """
    caller = call.caller
    if caller.person is not None:
        roles.demand(call)
        return Reach(None, is_administrator=True)
    if caller.all_departments:
        return Reach(None)
    if not caller.departments:
        raise Problem("forbidden", "This client is registered for no department.")
    return Reach(caller.departments)
