"""The operator commands of this room: `flask verify`, `flask licences check`, `flask demo`.

Exit status: 0 it holds, 1 it does not, 2 it could not be told.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from idservice.http.endpoint import MAX_UPLOAD
from keys.ring import RingError
from keys.verdict import Reason, Result
from licences import recheck, scan, sealed
from licences.asker import Asker
from licences.catalogue_cli import types
from licences.collection import cli as collection
from licences.counter.matter_cli import matters
from licences.demo.cli import demo
from licences.guard.cli import guard
from licences.portions import Walk
from licences.scan import Scan
from licences.schemas import ReportSchema
from licences.sharing.cli import sharing
from licences.slices import Slice
from licences.status.cli import status
from licences.trust.cli import trust
from licences.verify import Report
from licences.verify import verify as verify_scan
from licences.wallets.presentation.cli import wallets
from seals.reconcile import count_also

T = TypeVar("T")

YES, NO, COULD_NOT_TELL = 0, 1, 2
AT_ONCE = 500  # licences checked in one transaction
OPERATOR = Asker("运维人员 / operator", "命令行 / command line", None, None, None, None)
_UNTOLD = {Reason.UNREADABLE, Reason.FORMAT_UNKNOWN}
_VERDICTS = {YES: "有效 It holds", NO: "无效 It does not hold", COULD_NOT_TELL: "无法核验 Could not tell"}

machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")


@click.command("verify")
@click.argument("subject", metavar="TEXT-OR-IMAGE")
@machine
@with_appcontext
def verify(subject: str, as_json: bool) -> None:
    """核验 Verify a code, a credential, an identifier, or a file that holds one (a show code is used up by this)."""
    now = datetime.now(UTC)
    scanned = _read(subject)
    report = _act(lambda call: verify_scan(call, scanned, OPERATOR), write=True)
    status = _status(report)
    if as_json:
        body = ReportSchema().dump({**report.as_json(), "at": now})
        click.echo(json.dumps(body, ensure_ascii=False))
    else:
        click.echo("\n".join(_told(report, status)))
    sys.exit(status)


licences = AppGroup("licences", help="电子证照 Electronic licences.")
licences.add_command(types)


@licences.command("check")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="进程数 Processes.")
@click.option("--rejects", type=click.Path(path_type=Path), help="有问题的写入此文件 Where to write what is wrong.")
@click.option("--part", type=(int, int), default=(0, 1), hidden=True)
@machine
def check(processes: int, rejects: Path | None, part: tuple[int, int], as_json: bool) -> None:
    """自检 Check every stored licence anew: exit 0 all hold, 1 some do not, 2 it could not be told."""
    total = {"checked": 0, "wrong": 0}
    with rejects.open("w", encoding="utf-8") if rejects is not None else nullcontext() as file:

        def tell(said: dict[str, Any]) -> None:
            if "checked" in said:
                for name in total:
                    total[name] += said[name]
            elif file is not None:
                print(json.dumps(said), file=file)
            else:
                text = f"{said['identifier']} {said['fault']}: {said['detail']}"
                click.echo(json.dumps(said) if as_json else text)

        shared = (
            collection.share_out("check", processes, tell)
            if processes > 1
            else check_part(_house(), Slice.of(*part), tell)
        )
    told = f"{total['checked']} 份，{total['wrong']} 份有问题 wrong"
    click.echo(json.dumps(total) if as_json else told)
    sys.exit(max(shared, NO if total["wrong"] else YES))


def check_part(house: House, piece: Slice, tell: Callable[[dict[str, Any]], None]) -> int:
    """Check a part of all licences, telling of each fault and of the sums at the end; return 0."""
    place: recheck.Place | None = None
    checked, wrong, walk = 0, set[str](), Walk()
    total: int = _act(partial(recheck.count, part=piece), write=False, house=house)
    with click.progressbar(length=total, label="自检", file=sys.stderr) as bar:
        while True:
            step: Callable[[Call], Any] = partial(recheck.recheck, after=place, limit=AT_ONCE, part=piece, walk=walk)
            findings, count, place = _act(step, write=False, house=house)
            if not count:
                break
            checked += count
            bar.update(count)
            for finding in findings:
                wrong.add(finding.identifier)
                tell(asdict(finding))
    tell({"checked": checked, "wrong": len(wrong)})
    return YES


collection.add_to(licences)
GROUPS = (verify, licences, matters, status, trust, demo, guard, sharing, wallets)
count_also("licences", sealed.tally)


def _read(subject: str) -> Scan:
    """Return what the argument stands for: the content of a file of that name, else the text itself."""
    try:
        path = Path(subject)
        if not path.is_file():
            return Scan(text=subject)
        if path.stat().st_size > MAX_UPLOAD:
            _give_up(f"more than {MAX_UPLOAD} bytes")
        return scan.read(path.read_bytes())
    except (OSError, ValueError) as error:  # a long text is no file name; some systems say so by an error
        if isinstance(error, PermissionError):
            _give_up(str(error.strerror))
        return Scan(text=subject)


def _status(report: Report) -> int:
    """Return the exit status: a check that failed is a no, unless nothing was recognised in the first place."""
    if report.ok:
        return YES
    failed = [c for c in report.checks if c.result is Result.FAIL and c.reason not in _UNTOLD]
    return NO if failed else COULD_NOT_TELL


def _told(report: Report, status: int) -> list[str]:
    lines = [f"{_VERDICTS[status]} {' '.join(report.reasons)}".strip()]
    for licence in report.licences:
        holder = licence["holder"]
        lines.append(f"  {licence['name']} {licence['identifier']} {licence['state']}")
        lines.append(f"  {holder['name']} {holder['number']} {licence['issuer']['name']}")
    if report.annotation is not None:
        note = report.annotation
        lines.append(f"  加注件 {note['number']}: {note['asked_by']}, {note['purpose']}, 至 until {note['expires_at']}")
    return lines + [f"  {check.name}: {check.result} {check.detail}".rstrip() for check in report.checks]


def _house() -> House:
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("there are no usable settings or no key ring: flask keys new")
    return house


def _act(deed: Callable[[Call], T], *, write: bool, house: House | None = None) -> T:
    """Run a verb for the operator; say why where it cannot be done."""
    house = house or _house()
    operator = Caller(channel="cli", client_id="operator", all_departments=True)
    try:
        return house.database.run(lambda session: deed(Call(house, session, operator, datetime.now(UTC))), write=write)
    except Problem as problem:
        _give_up(f"{problem.kind.zh} {problem.kind.en}: {problem.detail}")
    except (SQLAlchemyError, RingError) as error:
        _give_up(str(error).splitlines()[0])


def _give_up(reason: str) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(COULD_NOT_TELL)
