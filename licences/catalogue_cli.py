"""`flask licences types`: list, take in, hand out and make up licence types, for whoever runs the service.

Exit status: 0 done, 1 a definition is refused and nothing was entered, 2 it could not be done.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask.cli import AppGroup

from idservice.errors import Problem
from keys.strict_json import StrictJSONError, strict_json
from licences import catalogue, catalogue_change
from licences.catalogue_generator import MOST, generate
from seals.operator import act, give_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from idservice.call import Call
    from licences.catalogue_change import Draft

REFUSED = 1
MOST_BYTES = 16 * 1024 * 1024

types = AppGroup("types", help="证照目录 The catalogue of licence types.")
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
issuer = click.option("--department", help="颁发机构代码 Credit code of the department that issues new types.")


@types.command("list")
@machine
def list_types(as_json: bool) -> None:
    """列出 List the types: code, version, name, and how many departments issue each."""
    for entry in act(catalogue.entries, write=False).values():
        told = {
            "code": entry.type.code,
            "version": entry.version,
            "name": entry.type.name,
            "issuers": [found.department for found in entry.authorities],
        }
        line = f"{entry.type.code} v{entry.version} {entry.type.name} ({len(entry.authorities)})"
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else line)


@types.command("import")
@click.argument("path", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只检查 Check alone, and enter nothing.")
@click.option("--reason", help="原因 Why; kept with each new version.")
@issuer
@machine
def import_types(path: Path, dry_run: bool, reason: str | None, department: str | None, as_json: bool) -> None:
    """导入 Enter the definitions in FILE (one, or a list) or of every .json in FOLDER: all of them, or none."""
    definitions = list(_definitions(path))
    faults: list[dict[str, Any]] = []
    taking = partial(_check, definitions=definitions, department=department, faults=faults)
    entering = partial(_enter, taking=taking, faults=faults, reason=reason[:200] if reason else None)
    done = act(taking if dry_run else entering, write=not dry_run)
    for fault in faults:
        click.echo(
            json.dumps(fault, ensure_ascii=False) if as_json else f"{fault['file']}: {fault['detail']}", err=True
        )
    if faults:
        sys.exit(REFUSED)
    for draft in done:
        _tell(draft, as_json=as_json)


@types.command("export")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
def export_types(folder: Path | None) -> None:
    """导出 Write every definition to FOLDER, a file each, or all of them as one list to standard output."""
    kinds = [entry.type for entry in act(catalogue.entries, write=False).values()]
    if folder is None:
        click.echo(json.dumps([asdict(kind) for kind in kinds], ensure_ascii=False, indent=2))
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            text = json.dumps(asdict(kind), ensure_ascii=False, indent=2)
            (folder / f"{kind.slug}.json").write_text(f"{text}\n", "utf-8")
    except OSError as error:
        give_up(str(error.strerror))
    click.echo(f"已导出 written: {len(kinds)}", err=True)


@types.command("generate")
@click.option("--count", type=click.IntRange(1, 1_000), default=546, show_default=True, help="目录总数 Types in all.")
@click.option("--seed", type=int, default=1, show_default=True)
@issuer
@machine
def generate_types(count: int, seed: int, department: str | None, as_json: bool) -> None:
    """生成 Fill the catalogue up with made-up types, each marked as a demonstration."""
    known = act(catalogue.entries, write=False)
    taken = {*known, *(entry.type.slug for entry in known.values())}
    try:
        made = generate(max(0, count - len(known)), seed=seed, taken=taken)
    except ValueError:
        give_up(f"no more than {MOST} types are made up")
    faults: list[dict[str, Any]] = []
    definitions = [("", json.loads(json.dumps(asdict(kind)))) for kind in made]
    taking = partial(_check, definitions=definitions, department=department, faults=faults)
    done = act(partial(_enter, taking=taking, faults=faults, reason=None), write=True)
    if faults:
        give_up(faults[0]["detail"])
    if as_json:
        click.echo(json.dumps({"made": len(done), "types": len(known) + len(done)}))
    else:
        click.echo(f"已生成 made: {len(done)}，共 in all: {len(known) + len(done)}")


def _check(
    call: Call, *, definitions: Sequence[tuple[str, Any]], department: str | None, faults: list[dict[str, Any]]
) -> list[Draft]:
    """Return what entering the definitions would do; `faults` is filled with what is refused."""
    faults.clear()
    drafts: list[Draft] = []
    names: set[str] = set()
    for file, definition in definitions:
        try:
            draft = catalogue_change.check(call, definition, department=department)
        except Problem as problem:
            faults.append({"file": file, "code": problem.code, "detail": problem.detail or problem.kind.en})
            continue
        own = {draft.type.code, draft.type.slug}
        if own & names:
            faults.append({"file": file, "code": "slug_taken", "detail": "Another file has this code or slug."})
        names |= own
        drafts.append(draft)
    return drafts


def _enter(
    call: Call, *, taking: Callable[[Call], list[Draft]], faults: list[dict[str, Any]], reason: str | None
) -> list[Draft]:
    """Enter the definitions, if none of them is refused."""
    catalogue.forget(call)
    drafts = taking(call)
    return [] if faults else [catalogue_change.put(call, draft, reason=reason) for draft in drafts]


def _tell(draft: Draft, *, as_json: bool) -> None:
    told = {"code": draft.type.code, "version": draft.version, "changes": [asdict(change) for change in draft.changes]}
    line = f"{draft.type.code} v{draft.version} {draft.type.name}: {len(draft.changes)} 处改动 changes"
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else line)


def _definitions(path: Path) -> Iterator[tuple[str, Any]]:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        give_up("the folder holds no .json")
    for file in files:
        try:
            found = strict_json(file.read_bytes(), max_bytes=MOST_BYTES)
        except StrictJSONError as error:
            give_up(f"{file.name} is no JSON: {error.code}")
        except OSError as error:
            give_up(f"{file.name}: {error.strerror}")
        for definition in found if isinstance(found, list) else [found]:
            yield file.name, definition
