"""The net below the logs: what looks personal is masked, wherever in an event it stands, and counted as a bug."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from idservice.http import logs
from tests.builders import build_settings
from tests.identity import ALICE, COMPANY

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
PERSONAL = [ALICE, ALICE.lower(), COMPANY, "13800001234", TOKEN, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."]


Lines = Callable[[], list[dict[str, Any]]]
log: Any = structlog.get_logger("test")


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize(
    "shape", ["{}", "number={}", "{},{}", "号码{}。", '"{}"', "https://a.example/?n={}&b", "\n{}\n"]
)
def test_what_looks_personal_is_masked(value: str, shape: str) -> None:
    masked = logs.mask(shape.format(value, value))
    assert value not in masked
    assert "[masked]" in masked


@pytest.mark.parametrize(
    "text",
    ["", "a" * 32, "0123456789abcdef" * 2, "2026-11-22T12:00:00.123456Z", "10.0.0.1:65535", "12800001234", "99999999"],
)
def test_what_does_not_is_left(text: str) -> None:
    assert logs.mask(text) == text


@pytest.mark.parametrize("value", [ALICE, COMPANY, "13800001234", TOKEN])
def test_it_is_masked_wherever_it_stands(log_lines: Lines, value: str) -> None:
    before, text = logs.CAUGHT._value.get(), f"event {value}"
    log.info(text, plain=value, inner={"deep": [{"er": (value,)}], value: 1}, fault=ValueError(value))
    (line,) = log_lines()
    assert value not in json.dumps(line)
    assert line["inner"] == {"deep": [{"er": ["[masked]"]}], "[masked]": 1}
    assert logs.CAUGHT._value.get() >= before + 5


def test_a_number_that_is_no_text_is_masked_too(log_lines: Lines) -> None:
    log.info("event", phone=13800001234, count=7, share=0.5, is_so=True, none=None)
    (line,) = log_lines()
    found = {name: line[name] for name in ("phone", "count", "share", "is_so", "none")}
    assert found == {"phone": "[masked]", "count": 7, "share": 0.5, "is_so": True, "none": None}


def test_the_text_of_a_fault_is_masked(log_lines: Lines) -> None:
    try:
        int(f"no such person: {ALICE}")
    except ValueError:
        log.exception("broken")
    (line,) = log_lines()
    assert "ValueError" in line["exception"]
    assert ALICE not in line["exception"]


def test_a_line_is_json_with_time_and_level(log_lines: Lines) -> None:
    log.warning("event", word="中文")
    log.debug("below the level")
    (line,) = log_lines()
    assert (line["event"], line["level"], line["word"]) == ("event", "warning", "中文")
    assert line["timestamp"].endswith("Z")


def test_a_line_cannot_be_forged(log_lines: Lines) -> None:
    log.info("event", word='x"}\n{"event": "forged"}')
    assert len(log_lines()) == 1


def test_for_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    logs.configure(build_settings(tmp_path, "sqlite://", log_json=False))
    log.warning("event", number=ALICE)
    structlog.configure(**before)
    shown = capsys.readouterr().err
    assert "event" in shown
    assert ALICE not in shown
