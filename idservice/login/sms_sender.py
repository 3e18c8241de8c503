"""Who carries SMS (短信通道): a sender named by ONA_SMS_SENDER, `file:PATH` or `python:MODULE:NAME`.

`NAME` is a function without arguments that returns an object with `send(to, code, text, at)`. It is called within a
request, for numbers known and unknown alike (`to` is then None): it must hand the message to a queue of its own and
return at once, and take as long for nobody as for somebody.
"""

from __future__ import annotations

import importlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from idservice.settings import Settings


_NO_ADDRESS = "-" * 11  # as long as a mobile number


class Sender(Protocol):
    """Carries one message, or none; whether it arrives is not known."""

    def send(self, to: str | None, *, code: str | None, text: str, at: datetime) -> None:
        """Send `text` to a telephone number; None sends nothing, at the same price."""


class FileSender:
    """Appends each message as one line of JSON to a file: for demonstrations and tests.

    What nobody gets goes to a file beside it, whose name ends in `.nobody`: it takes as long.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._nobody = path, path.with_name(f"{path.name}.nobody")

    def send(self, to: str | None, *, code: str | None, text: str, at: datetime) -> None:
        """Append one line."""
        line = (
            json.dumps({"to": to or _NO_ADDRESS, "code": code, "at": at.isoformat(), "text": text}, ensure_ascii=False)
            + "\n"
        )
        path = self._path if to is not None else self._nobody
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def is_configured(settings: Settings) -> bool:
    """Return whether there is anybody who carries messages."""
    return settings.sms_sender is not None


def sender(settings: Settings) -> Sender:
    """Return the sender that the settings name; RuntimeError without one (fail closed)."""
    if settings.sms_sender is None:
        raise RuntimeError("ONA_SMS_SENDER is not set")
    return _sender(settings.sms_sender)


@lru_cache(maxsize=4)
def _sender(named: str) -> Sender:
    kind, _, rest = named.partition(":")
    if kind == "file":
        return FileSender(Path(rest))
    module, _, name = rest.partition(":")
    made: Sender = getattr(importlib.import_module(module), name)()
    return made
