"""What a person reads before he consents (同意页的文字): details, claims and APIs in plain words, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from idservice.oauth import authorization_details, detail_types, resource_servers
from idservice.oauth.detail_types import LOCATIONS, Field, Shape, Words

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.authorization_details import Detail

BEIJING: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Told:
    """One authorization detail in words: what it is, and field by field what it reaches."""

    type: str
    title: Words
    explanation: Words
    facts: tuple[tuple[Words, tuple[Words, ...]], ...]
    detail: Detail

    def shown(self, language: str) -> dict[str, Any]:
        """Return it in one language, for the page."""
        at = 1 if language == "en" else 0
        facts = [{"title": title[at], "values": [value[at] for value in values]} for title, values in self.facts]
        return {"title": self.title[at], "explanation": self.explanation[at], "facts": facts}


def details(call: Call, given: Iterable[Detail]) -> list[Told]:
    """Return authorization details in words."""
    found = []
    for detail in given:
        kind = detail_types.find(detail["type"])
        if kind is None:
            continue
        facts = tuple(
            (field.title, _values(call, name, field, detail[name]))
            for name, field in kind.fields.items()
            if name in detail
        )
        found.append(Told(kind.name, kind.title, kind.explanation, facts, detail))
    return found


def resources(call: Call, identifiers: Iterable[str]) -> list[tuple[Words, str]]:
    """Return name and identifier of resource servers."""
    servers = (resource_servers.find(call, identifier) for identifier in identifiers)
    return [(server.name, server.identifier) for server in servers if server is not None]


def _values(call: Call, name: str, field: Field, value: Any) -> tuple[Words, ...]:
    if field.shape is Shape.MOMENT:
        local = authorization_details.moment(value).astimezone(BEIJING)
        return ((f"{local:%Y-%m-%d %H:%M}（北京时间）", f"{local:%Y-%m-%d %H:%M} (Beijing time)"),)
    values = value if isinstance(value, list) else [value]
    if name == LOCATIONS:
        known = {identifier: words for words, identifier in resources(call, values)}
    elif field.words:
        known = dict(field.words)
    else:
        known = dict(field.among(call)) if field.among is not None else {}
    return tuple(known.get(one, (one, one)) for one in values)
