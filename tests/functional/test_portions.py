"""Bulk issue by real processes: killed at every step, and raced for credentials that are made when asked for."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from idservice.models import AuditEntry
from licences import sealed
from licences.models import Licence, LicenceRoute
from licences.portion_models import SealPortion
from licences.status.models import StatusEntry
from seals import reconcile
from tests.functional.running_demo import ROOT, command_environment
from tests.portions import announce, issue_in_bulk
from tests.town import ALICE, BOB, SECURITY, Town, type_of

#: Runs `flask licences sign` and kills its own process before or after one step of it, as a loss of power would.
KILLED = """
import os, signal, sys
from licences import bulk_issue
from licences.collection import signing
from wsgi import create_app
moment, room, name = sys.argv[1:]
where = {"bulk_issue": bulk_issue, "signing": signing}[room]
plain = getattr(where, name)
def killed(*given):
    if moment == "after":
        plain(*given)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(where, name, killed)
create_app().test_cli_runner().invoke(args=["licences", "sign", "--json"], catch_exceptions=False)
"""
#: Asks for the credentials of licences as soon as it is told to begin, and prints them.
ASKS = """
import json, sys
from datetime import UTC, datetime
from idservice.call import Call, Caller
from idservice.errors import Problem
from licences import change, credentials
from wsgi import create_app
house = create_app().extensions["ona"]
def get(code):
    def deed(session):
        call = Call(house, session, Caller(channel="cli", client_id="operator"), datetime.now(UTC))
        return credentials.get(call, change.find(call, code))
    while True:
        try:
            return house.database.run(deed, write=True)
        except Problem as problem:
            if problem.code != "request_running":
                raise
codes = json.loads(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([get(code) for code in codes]), flush=True)
"""
STEPS = [
    ("before", "bulk_issue", "_announce", 0),  # nothing is on record yet
    ("after", "signing", "intend", 0),  # announced, and the transaction lost
    ("before", "bulk_issue", "sign", 1),  # announced, and no key was used
    ("after", "bulk_issue", "sign", 1),  # a key was used, and nobody knows
    ("before", "bulk_issue", "store", 1),  # noted as sealed, and the transaction lost
    ("after", "signing", "store", 1),  # stored, and the transaction lost
]


def environment(town: Town) -> dict[str, str]:
    return command_environment(
        {
            "ONA_DATABASE_URL": town.house.settings.database_url,
            "ONA_KEYS_DIR": str(town.house.settings.keys_dir),
            "ONA_ISSUER": town.house.settings.issuer,
            "ONA_INSECURE_LOOPBACK": "1",
            "ONA_LOG_LEVEL": "WARNING",
        }
    )


def run(town: Town, *arguments: str) -> Any:
    done = town.app.test_cli_runner().invoke(args=["licences", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def bring_in(town: Town, folder: Path, name: str) -> None:
    kind = type_of("vocational_qualification")
    given = {f"field.{field}": value for field, value in kind.examples().items()}
    rows = [{"type": kind.code, "holder": (ALICE, BOB)[n % 2], "number": f"{name}-{n}", **given} for n in range(6)]
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    run(town, "import", str(path))


@pytest.mark.parametrize(("moment", "room", "name", "left"), STEPS)
def test_what_was_killed_is_done_again_and_nothing_twice(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, room: str, name: str, left: int
) -> None:
    monkeypatch.setattr(reconcile, "_elsewhere", {"licences": sealed.tally})

    def unsealed() -> int:
        asked = select(func.count()).where(SealPortion.sealed_at.is_(None))
        return town.act(lambda call: call.session.scalar(asked)) or 0

    bring_in(town, tmp_path, f"{moment}-{name}")
    tables = (Licence, LicenceRoute)
    before, open_ones = [town.count(table) for table in tables], unsealed()
    command = [sys.executable, "-c", KILLED, moment, room, name]
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment(town), capture_output=True, timeout=120)
    assert done.returncode == -9, done.stderr[-2000:]
    assert [town.count(table) for table in tables] == before
    assert unsealed() - open_ones == left
    assert town.act(lambda call: reconcile.compare(call, town.seals[SECURITY])).result == "ok"

    assert run(town, "sign") == {"signed": 6, "failed": 0}
    assert [town.count(table) for table in tables] == [rows + 6 for rows in before]
    assert unsealed() - open_ones == left
    assert run(town, "sign") == {"signed": 0, "failed": 0}
    assert run(town, "check") == {"checked": town.count(Licence), "wrong": 0}
    assert town.act(lambda call: reconcile.compare(call, town.seals[SECURITY])).result == "ok"


def test_processes_that_ask_at_once_get_one_credential(town: Town) -> None:
    codes = [licence.identifier for licence in issue_in_bulk(town, announce(town, 4))]
    places = town.count(StatusEntry)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ASKS, json.dumps(codes)],
            cwd=ROOT,
            env=environment(town),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert told[0] == told[1] == told[2]
    assert len(set(told[0])) == len(codes)
    assert town.count(StatusEntry) - places == len(codes)
    for code in codes:
        made = select(func.count()).where(AuditEntry.deed == "licences:copy:make", AuditEntry.facts.contains(code))
        assert town.act(lambda call, made=made: call.session.scalar(made)) == 1
        assert town.verify(told[0][codes.index(code)])["ok"]
