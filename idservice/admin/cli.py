"""`flask admin`: the first administrators, for whoever sets the service up, and the way out when none is left to agree.

An administrator who has no second factor yet needs the code of `activate`, too, before he can add one; `reset-factors`
takes away those that he has lost.

Exit status: 0 done, 1 the answer is no, 2 it could not be done. Later roles are given and taken on the pages, by two
people.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice.admin import activation_acts, factor_reset_acts, person_acts, roles, view
from idservice.admin.roles import Role
from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.register import mandates

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import House

T = TypeVar("T")

NO, CANNOT = 1, 2
OPERATOR = Caller(channel="cli", client_id="operator")

admin = AppGroup("admin", help="管理员 Administrators.")
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")


@admin.command("appoint")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
def appoint(role: str) -> None:
    """任命 Give ROLE to the person whose number stands on standard input; no account holds two."""
    number = sys.stdin.readline().strip()

    def give(call: Call) -> None:
        subject, kind = person_acts.find(call, number)
        if kind != mandates.PERSON:
            raise Problem("not_found", "This is an organisation's code.")
        roles.give(call, subject, Role(role))

    _run(give, write=True)
    click.echo(f"已任命 appointed: {role}")


@admin.command("dismiss")
def dismiss() -> None:
    """免职 Take the role from the person whose number stands on standard input, the last of a role included."""
    number = sys.stdin.readline().strip()
    _run(lambda call: roles.take(call, person_acts.find(call, number)[0]), write=True)
    click.echo("已免职 dismissed")


@admin.command("activate")
def activate() -> None:
    """激活码 Print a code for a first second factor of the staff member whose number stands on standard input."""
    number = sys.stdin.readline().strip()

    def make(call: Call) -> str:
        facts = activation_acts.propose(call, {"subject": person_acts.find(call, number)[0]})
        activation_acts.make(call, facts)
        return str(facts["told"])

    click.echo(_run(make, write=True))
    click.echo("请当面交给本人，24 小时内有效，一次 Hand it over in person: good for 24 hours, once.", err=True)


@admin.command("reset-factors")
def reset_factors() -> None:
    """移除第二因素 Take away the lost second factors of the staff member whose number stands on standard input."""
    number = sys.stdin.readline().strip()
    _run(lambda call: factor_reset_acts.reset(call, {"subject": person_acts.find(call, number)[0]}), write=True)
    click.echo("已移除 taken away")
    click.echo("请另发激活码 He needs a code of `flask admin activate` for the next one.", err=True)


@admin.command("list")
@machine
def list_administrators(as_json: bool) -> None:
    """列出 List the administrators by role, their names masked."""

    def read(call: Call) -> list[dict[str, str]]:
        return [
            {"role": row.role, "name": view.masked_name(call, row.subject), "since": row.given_at.isoformat()}
            for row in roles.everybody(call)
        ]

    found = _run(read, write=False)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False))
    for one in found if not as_json else ():
        click.echo(f"{one['role']:<9} {one['since'][:10]} {one['name']}")


def _run(deed: Callable[[Call], T], *, write: bool) -> T:
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("there are no usable settings or no key ring: flask keys new", CANNOT)
    try:
        return house.database.run(lambda session: deed(Call(house, session, OPERATOR, datetime.now(UTC))), write=write)
    except Problem as problem:
        _give_up(f"{problem.kind.zh} {problem.kind.en}: {problem.detail}", NO)
    except SQLAlchemyError as error:
        _give_up(str(error).splitlines()[0], CANNOT)


def _give_up(reason: str, status: int) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(status)
