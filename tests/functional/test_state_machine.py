"""Login, consent, tokens and keys in any order, against a model of what must work and what must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from idservice.login import password
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.fapi import Fapi, register
from tests.functional.account_machine import OUTCOMES, AccountMachine, Stage
from tests.identity import build_city

SHARED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False)
# The same few runs every time, and no time spent on making a failure shorter.
SHORT = settings(SHARED, derandomize=True, max_examples=50, stateful_step_count=25, phases=[Phase.generate])
LONG = settings(SHARED, derandomize=False, max_examples=400, stateful_step_count=60)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(password, "_hasher", cheap)  # what a derivation costs is not the question here
    city = build_city(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    register(city, "fapi", profile="fapi2")
    yield Stage(city, Fapi(city))
    city.house.database.engine.dispose()


def test_any_order_of_deeds(stage: Stage) -> None:
    run_state_machine_as_test(lambda: AccountMachine(stage), settings=SHORT)
    assert set(stage.seen) >= OUTCOMES, "these runs come by everything"


@pytest.mark.soak
def test_any_order_of_deeds_at_length(stage: Stage) -> None:
    run_state_machine_as_test(lambda: AccountMachine(stage), settings=LONG)
