"""`flask licences import` and `flask licences sign`: bring licences in from files, and seal what waits.

Exit status: 0 every row is in (sealed), 1 some were not, 2 it could not be done.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select, update

from idservice.call import Call, Caller, House
from idservice.register.import_cli import bring_in, give_up, house_here, import_options
from licences import catalogue
from licences.collection import entering, signing
from licences.collection.models import CollectedLicence
from licences.slices import Slice

if TYPE_CHECKING:
    from flask.cli import AppGroup

    from licences.collection.signing import After

T = TypeVar("T")
YES, SOME_FAILED, CANNOT = 0, 1, 2
AT_ONCE = 512  # rows that are announced, sealed and stored together
OPERATOR = Caller(channel="cli", client_id="operator", all_departments=True)


def add_to(licences: AppGroup) -> None:
    """Add the commands of collection to `flask licences`."""
    licences.add_command(import_file)
    licences.add_command(sign)


@click.command("import")
@import_options
@click.option("--type", "type_code", help="文件只含一种证照时的类型代码 The type, where the file holds one alone.")
@click.option("--department", help="默认颁证机构 The issuing department, where a row names none.")
@with_appcontext
def import_file(type_code: str | None, department: str | None, **options: Any) -> None:
    """归集 Bring licences in from FILE; run again, it goes on where it stopped. `flask licences sign` seals them.

    列 columns: type holder number identifier valid_from valid_until issued_on updated_on department field.NAME.
    """
    house = house_here()
    known = _act(house, lambda call: entering.known(call, type_code=type_code, department=department), write=False)
    if type_code is not None and type_code not in known.types:
        give_up(f"there is no licence type {type_code}")
    if department is not None and not any(department in issuing for issuing in known.departments.values()):
        give_up(f"{department} issues nothing")
    bring_in(house, entering.register(known), **options)


@click.command("sign")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="进程数 Processes.")
@click.option("--part", type=(int, int), default=(0, 1), hidden=True)
@click.option("--again", is_flag=True, help="重试签发失败的 Try those again that could not be sealed.")
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
@with_appcontext
def sign(processes: int, part: tuple[int, int], again: bool, as_json: bool) -> None:
    """签发 Seal and sign what was collected; stop it at any time, and the next run goes on."""
    house = house_here()
    if again:
        _act(house, _wait_again, write=True)
    told, status = _share_out(processes) if processes > 1 else sign_part(house, Slice.of(*part))
    done, failed = told["signed"], told["failed"]
    click.echo(json.dumps(told) if as_json else f"{done} 份已签发 signed, {failed} 份未能签发 failed")
    sys.exit(status)


def sign_part(house: House, piece: Slice) -> tuple[dict[str, int], int]:
    """Seal what waits of a part of the holders; return what was done and the exit status."""
    total = _act(house, lambda call: _waiting(call, piece), write=False)
    done = failed = 0
    after: After | None = None
    with click.progressbar(length=total, label="签发", file=sys.stderr) as bar:
        while True:
            ready, after = _act(house, lambda call: _prepare(call, piece, after), write=False)  # noqa: B023 - called at once
            if not ready:
                break
            prepared = _act(house, lambda call: signing.intend(call, ready), write=True)  # noqa: B023
            made = _act(house, lambda call: signing.sign(call, prepared), write=False)  # noqa: B023
            signed, refused = _act(house, lambda call: signing.store(call, made), write=True)  # noqa: B023
            done, failed = done + signed, failed + refused
            bar.update(len(prepared))
    return {"signed": done, "failed": failed}, SOME_FAILED if failed else YES


def _prepare(call: Call, piece: Slice, after: After | None) -> tuple[list[signing.Prepared], After | None]:
    found = signing.waiting(call, piece, after=after, limit=AT_ONCE)
    reached = (found[-1].collected_at, found[-1].subject, found[-1].source) if found else after
    return signing.prepare(call, found), reached


def _share_out(processes: int) -> tuple[dict[str, int], int]:
    """Run one process for each part of the holders; return what all did and the worst of their exit statuses."""
    told: list[dict[str, int]] = []
    status = share_out("sign", processes, told.append)
    return {name: sum(one[name] for one in told) for name in ("signed", "failed")}, status


def share_out(command: str, processes: int, tell: Callable[[Any], object]) -> int:
    """Run `flask licences COMMAND --json --part ...` for each part of the holders; return the worst exit status.

    `tell` is given every line that they print, as the object it is, in no order.
    """
    program = [sys.executable, "-m", "flask", "--app", "wsgi", "licences", command, "--json", "--part"]
    running = [
        subprocess.Popen([*program, str(place), str(processes)], stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        for place in range(processes)
    ]

    def follow(process: subprocess.Popen[bytes]) -> int:
        with process:
            for line in process.stdout or ():
                tell(json.loads(line))
        return CANNOT if process.returncode < 0 else process.returncode  # below zero it was killed

    with ThreadPoolExecutor(processes) as threads:
        return max(threads.map(follow, running))


def _waiting(call: Call, piece: Slice) -> int:
    table = CollectedLicence
    asked = select(func.count()).where(table.state == "waiting", table.subject >= piece.first)
    return call.session.scalar(asked if piece.end is None else asked.where(table.subject < piece.end)) or 0


def _wait_again(call: Call) -> None:
    table = CollectedLicence
    call.session.execute(update(table).where(table.state == "failed").values(state="waiting", reason=None))


def _act(house: House, deed: Callable[[Call], T], *, write: bool) -> T:
    def run(session: Any) -> T:
        call = Call(house, session, OPERATOR, datetime.now(UTC))
        catalogue.entries(call)
        return deed(call)

    return house.database.run(run, write=write)
