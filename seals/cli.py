"""`flask seals`: verify the seals on files, make and list seals, for operators.

Exit status: 0 done or all holds, 1 the answer is no, 2 it could not be done or told. `verify` needs neither database
nor key ring: without them it knows the roots that `--trust` or the settings name, and no others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice import settings
from idservice.call import Call, Caller, House
from idservice.errors import Problem
from keys.certificates import CertificateError
from keys.ring import RingError
from keys.verdict import Reason
from seals.authority import make_authority
from seals.check import check_file
from seals.register import listed, make
from seals.report import Format, SealReport, exit_status
from seals.told import printable, told
from seals.verify import from_file, read_anchors

if TYPE_CHECKING:
    from keys.certificates import Certificate

T = TypeVar("T")

COULD_NOT_TELL = 2
PAGE = 200

seals = AppGroup("seals", help="电子印章 Electronic seals.")
GROUPS = (seals,)
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
a_file = click.Path(path_type=Path)


@seals.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=a_file)
@click.option("--document", type=a_file, help="签章对应的原文 The document that a detached signature lies beside.")
@click.option(
    "--trust",
    type=a_file,
    metavar="PEM",
    multiple=True,
    help="只信任这些根，可重复 Trust these roots alone; repeatable.",
)
@machine
def verify(files: tuple[Path, ...], document: Path | None, trust: tuple[Path, ...], as_json: bool) -> None:
    """验章 Tell whose seals are on each FILE: exit 0 all hold, 1 some do not, 2 it could not be told."""
    try:
        original = document.read_bytes() if document is not None else None
        anchors = tuple(anchor for path in trust for anchor in from_file(path)) if trust else _own_anchors()
    except OSError as error:
        _give_up(f"{error.filename}: {error.strerror}")
    except CertificateError as error:
        _give_up(str(error))
    reports = []
    for path in files:
        report = _judge(path, original, anchors)
        if original is not None and report.format is not Format.SIGNATURE:
            click.echo(f"{printable(str(path))}: --document 未使用 was not used", err=True)
        click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else _headed(path, report))
        reports.append(report)
    sys.exit(exit_status(reports))


@seals.command("list")
@machine
def list_seals(as_json: bool) -> None:
    """列出印章 List every seal: number, state, period, name; with --json one a line."""
    cursor = None
    while True:
        page = _act(partial(listed, limit=PAGE, cursor=cursor), write=False)
        for seal in page["items"]:
            click.echo(_line(seal, as_json))
        if (cursor := page["next_cursor"]) is None:
            return


@seals.command("make")
@click.argument("department")
@click.option("--special", metavar="TEXT", help="专用章字样 The line of a seal for a special purpose.")
@machine
def make_seal(department: str, special: str | None, as_json: bool) -> None:
    """制章 Make a seal for the department with that credit code, in force from now for five years."""
    seal_id = _act(lambda call: make(call, department=department, special=special), write=True)
    click.echo(json.dumps({"id": seal_id}) if as_json else seal_id)


@seals.command("authority")
def set_up_authority() -> None:
    """设立演示证书机构 Set up the demonstration's root and seal maker, and trust that root."""
    authority = _act(make_authority, write=True)
    click.echo(f"{authority.root.certificate.subject}\n{authority.maker.certificate.subject}")


def _own_anchors() -> tuple[Certificate, ...]:
    """Return the roots that this service trusts, as far as they can be read."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        return _roots_of_settings()
    file = house.database.engine.url.database
    if not house.database.is_sqlite or (file and Path(file).exists()):  # opening a file that is not there would make it
        try:
            return _run(house, read_anchors, write=False)
        except SQLAlchemyError:
            pass
    click.echo("信任名单不可用 The register of trusted roots cannot be read; go on without it.", err=True)
    return from_file(house.settings.trust_anchors)


def _roots_of_settings() -> tuple[Certificate, ...]:
    try:
        return from_file(settings.from_environment().trust_anchors)
    except settings.SettingsError:
        click.echo("没有可用的配置和信任根 No usable settings, so no trusted roots: name them with --trust.", err=True)
        return ()


def _judge(path: Path, document: bytes | None, anchors: Iterable[Certificate]) -> SealReport:
    try:
        data = path.read_bytes()
    except OSError as error:
        click.echo(f"无法读取 cannot read {printable(str(path))}: {error.strerror}", err=True)
        return SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    return check_file(data, document=document, anchors=tuple(anchors), now=datetime.now(UTC))


def _headed(path: Path, report: SealReport) -> str:
    return f"{printable(str(path))}: {told(report)}"


def _line(seal: dict[str, object], as_json: bool) -> str:
    if as_json:
        return json.dumps(seal, ensure_ascii=False, default=lambda moment: moment.isoformat())
    period = f"{seal['valid_from']:%Y-%m-%d} {seal['valid_until']:%Y-%m-%d}"
    return f"{seal['id']} {seal['state']:<13} {period} {seal['department']} {seal['name']}"


def _act(deed: Callable[[Call], T], *, write: bool) -> T:
    """Run a verb for the operator; say why where it cannot be done."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("there is no key ring: flask keys new")
    try:
        return _run(house, deed, write=write)
    except Problem as problem:
        faults = "; ".join(f"{error.pointer} {error.message}" for error in problem.errors)
        _give_up(f"{problem.kind.zh} {problem.kind.en}: {problem.detail or faults}")
    except (SQLAlchemyError, RingError) as error:
        _give_up(str(error).splitlines()[0])


def _run(house: House, deed: Callable[[Call], T], *, write: bool) -> T:
    operator = Caller(channel="cli", client_id="operator", all_departments=True)
    return house.database.run(lambda session: deed(Call(house, session, operator, datetime.now(UTC))), write=write)


def _give_up(reason: str) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(COULD_NOT_TELL)
