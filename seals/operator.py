"""How the commands of this room run their verbs: as the operator, in one transaction, refusals in words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn, TypeVar

import click
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from keys.certificates import CertificateError
from keys.ring import RingError

T = TypeVar("T")

COULD_NOT_TELL = 2


def act(deed: Callable[[Call], T], *, write: bool) -> T:
    """Run a verb for the operator; say why where it cannot be done."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        give_up("there is no key ring: flask keys new")
    try:
        return run(house, deed, write=write)
    except Problem as problem:
        faults = "; ".join(f"{error.pointer} {error.message}" for error in problem.errors)
        give_up(f"{problem.kind.zh} {problem.kind.en}: {problem.detail or faults}")
    except (SQLAlchemyError, RingError, CertificateError) as error:
        give_up(str(error).splitlines()[0])


def run(house: House, deed: Callable[[Call], T], *, write: bool) -> T:
    """Run a verb as the operator, who acts for every department."""
    operator = Caller(channel="cli", client_id="operator", all_departments=True)
    return house.database.run(lambda session: deed(Call(house, session, operator, datetime.now(UTC))), write=write)


def give_up(reason: str) -> NoReturn:
    """End the command with the status for "could not be done or told"."""
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(COULD_NOT_TELL)
