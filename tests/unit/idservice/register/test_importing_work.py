"""The work is shared out without a line lost, by who enters it too."""

import pickle
from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import pytest

from idservice.call import House
from idservice.register import importing, importing_work, population
from idservice.register.importing_rows import Form, Layout, Lines
from tests.identity import COMPANY, citizen_number

TODAY = datetime.now(UTC).date()
ROWS = [f"{citizen_number(f'371602199001010{n:02}')},王小明,,2,\n" for n in range(4)]


def test_who_enters_prepares_what_nobody_has_begun_while_he_would_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(Form.CSV, "utf-8", population.MEMBERS, ("number", "name", "phone", "level", "status"))
    job = importing_work.Job(importing.REGISTERS["people"], layout, TODAY)
    lines = [Lines(number, (line.encode(),)) for number, line in enumerate(ROWS, 2)]
    futures: list[Future[importing_work.Prepared]] = [Future() for _ in lines]
    futures[0].set_running_or_notify_cancel()
    running = deque(zip(lines, futures, strict=True))
    prepare = importing_work.prepare

    def and_the_other_is_done(*given: Any) -> importing_work.Prepared:
        if not futures[0].done() and given[2] is lines[2]:
            futures[0].set_result(prepare(house.cipher, job, lines[0]))
        return prepare(*given)

    monkeypatch.setattr(importing_work, "prepare", and_the_other_is_done)
    first = importing_work._next(house, job, running)
    assert (first.lines, first.rows[0].line) == (lines[0], 2)
    assert [future.cancelled() for future in futures] == [False, True, True, False]
    assert [importing_work._next(house, job, running).rows[0].line for _ in range(2)] == [3, 4]


@pytest.mark.parametrize("kind", ["people", "organisations"])
def test_rows_go_between_processes_as_they_are(house: House, kind: str) -> None:
    register = importing.REGISTERS[kind]
    number = ROWS[0].partition(",")[0] if kind == "people" else COMPANY
    rows = [register.prepare(house.cipher, line, {"number": number, "name": "甲"}, TODAY) for line in (2, 4)]
    for some in (rows, []):
        sent = importing_work.Prepared(Lines(2, (b"a", b"b", b"c")), some, [(3, ("csv",))])
        assert pickle.loads(pickle.dumps(sent)) == sent  # noqa: S301 - our own
    assert type(pickle.loads(pickle.dumps(sent)).rows) is list  # noqa: S301 - our own
