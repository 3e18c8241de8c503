"""The verdict on a seal's own signature is remembered by its bytes: no other bytes may profit from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keys.verdict import Result
from seals import steps
from seals.decoding import read_seal
from tests.unit.seals.made import City


def test_a_remembered_verdict_is_of_these_bytes_alone(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    steps._seal_verdicts.clear()
    seal = read_seal(city.seal)
    assert steps.seal_signature(seal).result is Result.OK
    asked = []
    monkeypatch.setattr(steps, "_verify", lambda *facts: asked.append(facts) or (Result.FAIL, "asked"))
    assert steps.seal_signature(seal).result is Result.OK, "remembered"
    altered = bytearray(city.seal)
    altered[-1] ^= 1  # the last byte of the signature value
    assert steps.seal_signature(read_seal(bytes(altered))).result is Result.FAIL
    assert len(asked) == 1


def test_the_memory_is_bounded(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "REMEMBERED_SEALS", 3)
    steps._seal_verdicts.clear()
    seal = read_seal(city.seal)
    for length in range(1, 10):
        steps.seal_signature(replace(seal, der=bytes(length)))
    assert len(steps._seal_verdicts) <= 3
