"""`flask guard`: rules, quotas, honey numbers, alarms and the stop switch, for whoever runs the service.

Exit status: 0 done, 1 the answer is no (or alarms wait), 2 it could not be done.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice.admin import person_acts
from idservice.call import Call, Caller
from idservice.errors import Problem
from keys.strict_json import StrictJSONError, strict_json
from licences.guard import alarms, honey, rules, standing, stop
from licences.guard.policy import ANY
from licences.guard.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import House

T = TypeVar("T")

NO, CANNOT = 1, 2
MOST_BYTES = 4 * 1024 * 1024
OPERATOR = Caller(channel="cli", client_id="operator")

guard = AppGroup("guard", help="查询管控 The guard over look-ups.")
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")


@guard.group("rules")
def rule_commands() -> None:
    """查询规则 The rows of the policy: what none of them allows is denied."""


@rule_commands.command("import")
@click.argument("file", type=click.File("rb"))
def import_rules(file: IO[bytes]) -> None:
    """导入 Enter the rules in FILE, all or none: a JSON list of {effect, unit, operator, matter, region, ground}."""
    try:
        rows = strict_json(file.read(MOST_BYTES + 1), max_bytes=MOST_BYTES)
    except StrictJSONError as error:
        _give_up(f"the file is no JSON: {error.code}", CANNOT)
    if not isinstance(rows, list):
        _give_up("the file is no list", CANNOT)
    click.echo(f"已导入 entered: {run(lambda call: rules.take_in(call, rows), write=True)}")


@rule_commands.command("list")
@machine
def list_rules(as_json: bool) -> None:
    """列出 List the rules; operators are named by their subjects."""
    names = ("rule_id", "effect", "unit", "operator", "matter", "region", "ground", "note")
    _tell(run(lambda call: [_members(row, names) for row in rules.listed(call)], write=False), as_json=as_json)


@rule_commands.command("remove")
@click.argument("rule_id")
def remove_rule(rule_id: str) -> None:
    """撤销 Take one rule out."""
    run(lambda call: rules.remove(call, rule_id), write=True)


@guard.command("quota")
@click.option("--unit", default=ANY, help="单位代码 A unit's credit code; default: every unit.")
@click.option("--per-day", type=int, required=True)
@click.option("--per-minute", type=int, required=True)
@click.option("--per-subject", type=int, required=True)
def set_quota(unit: str, per_day: int, per_minute: int, per_subject: int) -> None:
    """配额 Set how often an operator looks up a day and a minute, and how often one subject is looked up a day."""
    run(lambda call: rules.limit(call, unit, Quota(per_day, per_minute, per_subject)), write=True)


@guard.command("honey")
def add_honey() -> None:
    """蜜罐 Enter honey numbers from standard input, one a line; none of them is ever shown again."""
    numbers = [line.strip() for line in sys.stdin if line.strip()]
    click.echo(f"新增 new: {run(lambda call: honey.put(call, numbers), write=True)}")


@guard.command("alarms")
@machine
def list_alarms(as_json: bool) -> None:
    """告警 List the alarms, those nobody has seen to first; exit status 1 where there are such."""
    names = ("alarm_id", "kind", "times", "first_at", "last_at", "facts", "seen_at")
    found = run(lambda call: [_members(row, names) for row in alarms.listed(call)], write=False)
    _tell(found, as_json=as_json)
    if any(one["seen_at"] is None for one in found):
        sys.exit(NO)


@guard.command("stops")
@machine
def list_stops(as_json: bool) -> None:
    """停止记录 List the stops, those in force first."""
    names = ("stop_id", "scope", "target", "reason", "stopped_by", "stopped_at", "lift_asked_by", "lifted_at")
    _tell(run(lambda call: [_members(row, names) for row in stop.listed(call)], write=False), as_json=as_json)


@guard.command("stop")
@click.argument("scope", type=click.Choice(standing.SCOPES))
@click.option(
    "--target",
    default="",
    help="单位代码或事项编码 A unit's or matter's code; an operator's number: on standard input.",
)
@click.option("--reason", required=True)
def stop_look_ups(scope: str, target: str, reason: str) -> None:
    """停止查询 Stop look-ups at once; verification goes on."""
    number = sys.stdin.readline().strip() if scope == standing.OPERATOR else ""

    def put(call: Call) -> str:
        whom = person_acts.find(call, number)[0] if number else target
        return stop.put(call, scope=scope, target=whom, reason=reason).stop_id

    click.echo(run(put, write=True))


@guard.command("resume")
@click.argument("stop_id")
def resume(stop_id: str) -> None:
    """恢复查询 Ask that a stop be lifted, or lift it where an administrator has asked before."""
    lifted = run(lambda call: stop.resume(call, stop_id).lifted_at is not None, write=True)
    click.echo("已恢复 lifted" if lifted else "已申请，等待管理员确认 asked: an administrator must agree")


def _members(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _tell(items: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"items": items}, ensure_ascii=False))
        return
    for one in items:
        click.echo("  ".join(str(value) for value in one.values() if value is not None))


def run(deed: Callable[[Call], T], *, write: bool) -> T:
    """Run a verb for the operator, in a transaction; where it cannot be done say why and end."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("there are no usable settings or no key ring: flask keys new", CANNOT)
    try:
        return house.database.run(lambda session: deed(Call(house, session, OPERATOR, datetime.now(UTC))), write=write)
    except Problem as problem:
        faults = "; ".join(f"{fault.pointer} {fault.message}" for fault in problem.errors)
        _give_up(f"{problem.kind.zh} {problem.kind.en}: {problem.detail} {faults}".rstrip(), NO)
    except SQLAlchemyError as error:
        _give_up(str(error).splitlines()[0], CANNOT)


def _give_up(reason: str, status: int) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(status)
