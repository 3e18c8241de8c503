import json
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from idservice.login import sms_sender

AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def settings(named: str | None) -> Any:
    return SimpleNamespace(sms_sender=named)


def test_a_file_gets_one_line_of_json_for_each_message(tmp_path: Path) -> None:
    path = tmp_path / "sms.jsonl"
    sender = sms_sender.sender(settings(f"file:{path}"))
    sender.send("13800001234", code="012345", text="验证码", at=AT)
    sender.send(None, code="999999", text="nobody gets this", at=AT)
    sender.send("13800001234", code=None, text="知会", at=AT)
    first, second = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert first == {"to": "13800001234", "code": "012345", "at": "2026-11-22T02:30:00+00:00", "text": "验证码"}
    assert second["code"] is None
    nobody = tmp_path / "sms.jsonl.nobody"
    assert json.loads(nobody.read_text("utf-8"))["text"] == "nobody gets this", "at the same price"
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path, nobody)} == {0o600}


def test_a_gateway_is_named_by_module_and_function(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    module = ModuleType("city_sms")
    module.gateway = lambda: SimpleNamespace(send=lambda to, **more: sent.append((to, more)))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "city_sms", module)
    sms_sender.sender(settings("python:city_sms:gateway")).send("1", code="2", text="3", at=AT)
    assert sent == [("1", {"code": "2", "text": "3", "at": AT})]


def test_without_a_sender_nothing_is_offered_and_nothing_sent() -> None:
    assert not sms_sender.is_configured(settings(None))
    with pytest.raises(RuntimeError):
        sms_sender.sender(settings(None))
