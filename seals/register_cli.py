"""`flask seals change|rename|reconcile|batch`: the register at the operator's console.

Exit status: 0 done, or everything agrees; 1 the answer is no; 2 it could not be done.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from idservice.errors import Problem
from seals import approval, batch, operator
from seals.change import change, rename
from seals.lifecycle import Change
from seals.reconcile import Outcome, reconcile

NO = 1
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")


@click.command("change")
@click.argument("seal_id")
@click.argument("deed", type=click.Choice([str(deed) for deed in Change]))
@click.option("--reason", required=True, help="原因 Why; it stays on record.")
@machine
@with_appcontext
def change_seal(seal_id: str, deed: str, reason: str, as_json: bool) -> None:
    """变更 Change a seal, or decide on the application for one: approve, refuse, make, suspend, ..."""
    made = operator.act(lambda call: approval.make_ahead(call, seal_id, Change(deed)), write=False)
    line = operator.act(lambda call: change(call, seal_id, Change(deed), reason=reason, made=made), write=True)
    told = {"id": line["id"], "seal": line["seal"], "change": deed, "state": str(line["state"])}
    click.echo(json.dumps(told) if as_json else f"{line['seal']} {line['state']}")


@click.command("rename")
@click.argument("department")
@click.argument("name")
@machine
@with_appcontext
def rename_department(department: str, name: str, as_json: bool) -> None:
    """更名 Enter a department's new name and retire the seals that bear the former one."""
    retired = operator.act(lambda call: rename(call, department, name), write=True)
    click.echo(json.dumps({"retired": retired}) if as_json else "\n".join(f"{seal_id} retired" for seal_id in retired))


@click.command("reconcile")
@click.option("--accept", metavar="REASON", help="说明差异并以此为新的起点 Accept the differences, with the reason.")
@machine
@with_appcontext
def reconcile_seals(accept: str | None, as_json: bool) -> None:
    """对账 Compare what each seal's signer counted with what is on record: exit 0 agrees, 1 does not."""
    found = operator.act(partial(reconcile, accept=accept), write=True)
    for one in found:
        facts = asdict(one)
        told = " ".join(f"{name} {facts[name]}" for name in ("counted", "recorded", "unfinished", "covered"))
        click.echo(json.dumps(facts) if as_json else f"{one.seal_id} {one.result:<5} {told}")
    if accept is None and any(one.result is not Outcome.OK for one in found):
        sys.exit(NO)


@click.command("batch")
@click.argument("seal_id")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--purpose", required=True, help="用途 What for; it stays on record.")
@click.option("--on-behalf", help="用章对象 For whom.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="结果目录 Where to.")
@machine
@with_appcontext
def seal_batch(
    seal_id: str, files: tuple[Path, ...], purpose: str, on_behalf: str | None, out: Path, as_json: bool
) -> None:
    """批量盖章 Seal many files, OFD and PDF inside, others beside: exit 0 all done, 1 some were refused."""
    out.mkdir(parents=True, exist_ok=True)
    refused = 0
    for place, path in enumerate(files, 1):
        click.echo(f"{place}/{len(files)} {path}", err=True)
        try:
            done = _seal(seal_id, path, purpose=purpose, on_behalf=on_behalf)
            target = out / done.name
            with target.open("xb") as file:  # what was sealed before is not written over
                file.write(done.data)
            told = {"file": str(path), "use": done.use_id, "result": str(target)}
        except (Problem, OSError) as error:
            refused += 1
            told = {"file": str(path), "error": error.code if isinstance(error, Problem) else str(error.strerror)}
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else " ".join(told.values()))
    sys.exit(NO if refused else 0)


def _seal(seal_id: str, path: Path, *, purpose: str, on_behalf: str | None) -> batch.Sealed:
    document = batch.Document(path.name, path.read_bytes(), purpose=purpose, on_behalf=on_behalf)
    house = current_app.extensions.get("ona") or operator.give_up("there is no key ring: flask keys new")
    announced = operator.run(house, lambda call: batch.announce(call, seal_id, document), write=True)
    return operator.run(house, lambda call: batch.seal(call, seal_id, document, announced), write=True)


COMMANDS = (change_seal, rename_department, reconcile_seals, seal_batch)
