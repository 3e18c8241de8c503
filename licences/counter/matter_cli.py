"""`flask matters`: the list of matters for operators: import, list, export (事项清单).

Exit status: 0 it is done, 2 it could not be done and nothing was changed. `--json` for machines.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from keys.ring import RingError
from licences.counter import matter_file
from licences.counter import matters as listed_matters
from licences.record_reader import DefinitionError

if TYPE_CHECKING:
    from licences.counter.matter_definition import Matter

T = TypeVar("T")

CANNOT = 2

matters = AppGroup("matters", help="证明事项清单 The list of matters and the proofs they need.")
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")


class _DryRun(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""

    def __init__(self, result: list[tuple[Matter, str]]) -> None:
        self.result = result


@matters.command("import")
@click.argument("path", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只检查不写入 Check everything, enter nothing.")
@machine
def import_matters(path: Path, dry_run: bool, as_json: bool) -> None:
    """导入 Enter every matter of a JSON file or a folder of them, all or none; a changed one is a new version."""

    def deed(call: Call) -> list[tuple[Matter, str]]:
        result = matter_file.enter(call, matter_file.read(path))
        if dry_run:
            raise _DryRun(result)
        return result

    try:
        result = _act(deed, write=True)
    except _DryRun as ended:
        result = ended.result
    counts = Counter(fate for _matter, fate in result)
    for matter, fate in result:
        if as_json:
            click.echo(json.dumps({"code": matter.code, "version": matter.version, "result": fate}))
        elif fate != matter_file.UNCHANGED:
            click.echo(f"{matter.code} v{matter.version} {fate} {matter.name}")
    if not as_json:
        told = ", ".join(f"{counts[fate]} {fate}" for fate in (matter_file.NEW, "changed", "unchanged"))
        click.echo(f"{'（未写入 nothing entered）' if dry_run else ''}{told}")


@matters.command("list")
@machine
def list_matters(as_json: bool) -> None:
    """列出 List every matter, those no longer handled among them."""
    for matter in _act(listed_matters.every, write=False):
        if as_json:
            click.echo(json.dumps(matter.as_json(), ensure_ascii=False))
        else:
            state = "" if matter.in_force else "（停办 not in force）"
            click.echo(f"{matter.code} v{matter.version} {matter.unit} {matter.name}{state}")


@matters.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_matters(folder: Path) -> None:
    """导出 Write each matter to FOLDER/CODE.json, as it would be imported."""
    found = _act(listed_matters.every, write=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for matter in found:
            (folder / f"{matter.code}.json").write_text(matter_file.text(matter), "utf-8")
    except OSError as error:
        _give_up(f"{error.filename}: {error.strerror}")
    click.echo(f"{len(found)} 项 matters")


def _act(deed: Callable[[Call], T], *, write: bool) -> T:
    """Run a verb for the operator; say why where it cannot be done."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("there are no usable settings or no key ring: flask keys new")
    operator = Caller(channel="cli", client_id="operator", all_departments=True)
    try:
        return house.database.run(lambda session: deed(Call(house, session, operator, datetime.now(UTC))), write=write)
    except (DefinitionError, RingError) as error:
        _give_up(str(error))
    except Problem as problem:
        _give_up(f"{problem.kind.zh} {problem.kind.en}: {problem.detail}")
    except OSError as error:
        _give_up(f"{error.filename}: {error.strerror}")
    except SQLAlchemyError as error:
        _give_up(str(error).splitlines()[0])


def _give_up(reason: str) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(CANNOT)
