"""Structured logs without personal data, with a net below that masks and counts what slips through.

Deeds are in the audit log and counts in the metrics; what is logged here is what an operator must act on.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import Counter

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from idservice.settings import Settings

CAUGHT = Counter("ona_log_masked", "Values masked in logs because they looked like personal data: each one is a bug")

# 18-character citizen numbers and credit codes, mainland mobile numbers, compact JWS and long bearer values.
PERSONAL = re.compile(
    r"(?<![0-9A-Za-z])(?:[1-9]\d{16}[\dXx]|[0-9A-HJ-NP-RTUWXY]{2}\d{6}[0-9A-HJ-NP-RTUWXY]{10}|1[3-9]\d{9}"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*)(?![0-9A-Za-z])"
)


def mask(text: str) -> str:
    """Return `text` with everything that looks like a number of a person, an organisation or a token replaced."""
    masked, found = PERSONAL.subn("[masked]", text)
    if found:
        CAUGHT.inc(found)
    return masked


def _mask_values(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    """Return `value` masked, whatever it is: a list of numbers is as personal as one, and so is a fault's text."""
    if isinstance(value, dict):
        return {mask(str(name)): _masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(inner) for inner in value]
    if value is None or isinstance(value, bool | float):
        return value
    text = str(value)
    masked = mask(text)
    return value if masked == text and isinstance(value, int) else masked


def configure(settings: Settings) -> None:
    """Set up structlog: JSON lines for machines, colours for a terminal. Safe to call twice."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not settings.log_json:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask_values,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
