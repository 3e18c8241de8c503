"""`flask audit`: sequence the log, check it, show its checkpoint, prove that an entry is in it."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice.events import courier
from idservice.log import proof, resign, sequencer, tree
from idservice.log.verify import Progress, verify_log
from keys.ring import RingError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.log.findings import Report

CANNOT_TELL = 2
LONG = 50_000  # entries; a second's work or so
OUTAGES = (SQLAlchemyError, RingError)
ANY = (*OUTAGES, OSError, tree.LogDamagedError)
VERDICTS = ("日志完整 The log holds", "日志有问题 The log does NOT hold", "无法判断 Could not tell")

audit = AppGroup("audit", help="审计日志 The tamper-evident audit log.")


@audit.command()
@click.option(
    "--checkpoint", "copies", type=click.Path(path_type=Path), multiple=True, help="检查点副本 A copy kept elsewhere."
)
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
def verify(copies: tuple[Path, ...], as_json: bool) -> None:
    """校验全部审计记录 Recompute the whole log and compare: exit 0 it holds, 1 it does not, 2 could not tell."""
    house = _house()
    files = [*copies, *([house.settings.checkpoint_file] if house.settings.checkpoint_file else [])]
    try:
        notes = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    except OSError as error:
        _give_up(f"{error.filename}: {error.strerror}", as_json)

    def check(session: Session) -> Report:
        tree.one_state(session)
        return verify_log(session, tree.opener(house), now=datetime.now(UTC), copies=notes, progress=_progress())

    with _or_give_up(as_json=as_json):
        report = house.database.run(check, write=False)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)
    sys.exit(report.exit_status)


@audit.command()
@click.option("--once", is_flag=True, help="只处理一次 One pass, then end.")
def sequence(once: bool) -> None:
    """将审计记录编入日志 Put committed rows into the log every two seconds until stopped, and send notices."""
    house = _house()
    if not once:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        with courier.running(house):
            sequencer.run_forever(house, stop)
        return
    with _or_give_up():
        click.echo(sequencer.sequence(house, datetime.now(UTC)))


@audit.command()
def checkpoint() -> None:
    """输出最新检查点 Print the newest signed checkpoint."""
    house = _house()
    with _or_give_up():
        row = house.database.run(tree.newest, write=False)
    if row is None:
        _give_up("尚无检查点 No checkpoint has been signed yet.")
    click.echo(row.note, nl=False)


@audit.command("resign")
def resign_checkpoints() -> None:
    """重签检查点 After a checkpoint key was revoked: check the whole log, then sign it anew."""
    house = _house()
    with _or_give_up():
        click.echo(resign.resign(house, datetime.now(UTC)))


@audit.command()
@click.argument("entry_id")
def prove(entry_id: str) -> None:
    """证明一条记录在日志中 Print the inclusion proof of ENTRY_ID as JSON (examples/check_inclusion.py reads it)."""
    house = _house()

    def make(session: Session) -> dict[str, object]:
        tree.one_state(session)
        return proof.prove(session, entry_id, tree.opener(house))

    try:
        with _or_give_up(OUTAGES):
            click.echo(json.dumps(house.database.run(make, write=False), ensure_ascii=False, indent=1))
    except (proof.NotInLogError, tree.LogDamagedError) as error:
        click.echo(f"无法证明 No proof: {error}", err=True)
        sys.exit(1)


def _house() -> House:
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("没有设置或密钥 the application has no settings or keys yet: flask keys new")
    return house


@contextmanager
def _or_give_up(kinds: tuple[type[Exception], ...] = ANY, *, as_json: bool = False) -> Iterator[None]:
    """End with "could not tell" for exceptions of these kinds."""
    try:
        yield
    except kinds as error:
        reason = str(error).partition("\n")[0]  # what SQLAlchemy adds below are the values of rows
        _give_up(f"{type(error).__name__}: {reason}", as_json)


def _give_up(reason: str, as_json: bool = False) -> NoReturn:
    if as_json:
        click.echo(json.dumps({"ok": False, "findings": [], "unknown": [reason]}, ensure_ascii=False))
    click.echo(f"无法判断 Could not tell: {reason}", err=True)
    sys.exit(CANNOT_TELL)


def _progress() -> Progress:
    """Return a reporter of progress that writes a line to standard error every five percent of a long check."""
    following = 0

    def report(done: int, total: int) -> None:
        nonlocal following
        percent = 100 * done // max(1, total)
        if percent >= following and total > LONG:
            following = percent + 5
            click.echo(f"{percent} % ({done}/{total})", err=True)

    return report


def _print(report: Report) -> None:
    for finding in report.findings:
        click.echo(finding.text())
    for reason in report.unknown:
        click.echo(f"无法判断 Could not tell: {reason}")
    click.echo(
        f"{VERDICTS[report.exit_status]}: {report.size} entries under the newest checkpoint, "
        f"{report.entries} rows read, {report.checkpoints} checkpoints compared, {report.waiting} waiting"
    )
