"""Authorization details (细粒度授权): RFC 9396. What a token is good for, to the single licence type, seal or matter.

Read strictly, narrowed and never widened, and asked for at the deed itself by `demand`. A detail takes the place of the
scope whose authority it carries: a token that loses the detail loses the authority, and never gets the whole scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from idservice.errors import Kind, Problem, register
from idservice.numbers import citizen, credit_code
from idservice.oauth import detail_types
from idservice.oauth.detail_types import LOCATIONS, NOT_AFTER, DetailType, Field, Shape
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from idservice.call import Call, Caller
    from idservice.oauth.clients import App

Detail = Mapping[str, Any]
Details = tuple[Detail, ...]

PARAMETER: Final = "authorization_details"
MAX_BYTES: Final = 8192
MAX_DETAILS: Final = 16
MAX_VALUES: Final = 64
MAX_LENGTH: Final = 256
MAX_DEPTH: Final = 3  # an array of objects with arrays of texts
_UTC: Final = "%Y-%m-%dT%H:%M:%SZ"

register(
    {
        "authorization_details_exceeded": Kind(
            403, "超出访问令牌的细粒度授权", "The access token's authorization details do not reach this"
        )
    }
)


class DetailsRefused(ValueError):
    """`invalid_authorization_details` (RFC 9396 section 5); the message says why."""


def read(call: Call, app: App, text: str, *, own: str, has_person: bool) -> Details:
    """Return the details that the parameter states, if the client may ask for each of them.

    Args:
        call: the call.
        app: the client that asks.
        text: the parameter.
        own: the resource indicator of our own API.
        has_person: whether a person will be asked; some types need one.

    Raises:
        DetailsRefused: what is wrong with them.
    """
    try:
        sent = strict_json(text.encode(), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
    except StrictJSONError as error:
        raise DetailsRefused(f"authorization_details is refused: {error.code}.") from None
    if not isinstance(sent, list) or not 0 < len(sent) <= MAX_DETAILS:
        raise DetailsRefused(f"authorization_details is an array of 1 to {MAX_DETAILS} objects.")
    details = tuple(_checked(call, app, detail, own=own, has_person=has_person) for detail in sent)
    for kind in {detail["type"] for detail in details}:
        if _kind(kind).is_single and len(of_type(details, kind)) > 1:
            raise DetailsRefused(f"There is at most one {kind}.")
    return details


def may_ask(app: App, kind: DetailType) -> bool:
    """Return whether the client is registered for a type, and for the scope whose authority it carries."""
    return kind.name in app.authorization_details_types and (kind.scope is None or kind.scope in app.scope)


def still_allowed(app: App, details: Details) -> Details:
    """Return the details without those the client is no longer registered for; what only limits stays."""
    return tuple(d for d in details if (kind := _kind(d["type"])).scope is None or may_ask(app, kind))


def of_type(details: Iterable[Detail], name: str) -> Details:
    """Return those of one type."""
    return tuple(detail for detail in details if detail["type"] == name)


def without_governed(scope: Iterable[str], details: Iterable[Detail]) -> tuple[str, ...]:
    """Return the scope without what the details take the place of."""
    governed = {_kind(detail["type"]).scope for detail in details}
    return tuple(name for name in scope if name not in governed)


def narrowed(granted: Details, asked: Details) -> Details:
    """Return the details of a token for which less is asked than was granted (RFC 9396 sections 6 and 7).

    Those that only limit stay, whether they are asked for again or not: without them the token could do more.

    Raises:
        DetailsRefused: something is asked for that was not granted.
    """
    asked = tuple(_inheriting(granted, detail) for detail in asked)
    for detail in asked:
        if not any(covers(held, detail) for held in of_type(granted, detail["type"])):
            raise DetailsRefused(f"This {detail['type']} was not granted.")
    restated = {(detail["type"], frozenset(detail.get(LOCATIONS, ()))) for detail in asked}
    only_limits = (held for held in granted if _kind(held["type"]).scope is None)
    kept = (held for held in only_limits if (held["type"], frozenset(held.get(LOCATIONS, ()))) not in restated)
    return (*asked, *kept)


def covers(held: Detail, asked: Detail) -> bool:
    """Return whether `held` authorises all that `asked` would; a limit that is left out in `asked` is wider."""
    if held["type"] != asked["type"]:
        return False
    return all(
        _is_within(field.shape, held[name], asked.get(name))
        for name, field in _kind(held["type"]).fields.items()
        if name in held
    )


def _inheriting(granted: Details, asked: Detail) -> Detail:
    """Return what is asked for with the limits that stay without being named."""
    names = [name for name, field in _kind(asked["type"]).fields.items() if field.is_inherited and name not in asked]
    bare = {name: value for name, value in asked.items() if name not in names}
    for held in of_type(granted, asked["type"]):
        limits = {name: held[name] for name in names if name in held}
        if limits and covers({name: value for name, value in held.items() if name not in limits}, bare):
            return {**asked, **limits}
    return asked


def told(call: Call, holder: str, details: Details) -> list[dict[str, Any]]:
    """Return the details as a token response states them: some types say more there (RFC 9396 section 7).

    Args:
        call: the call.
        holder: the subject whose data the token is about.
        details: of the token.
    """
    shown = []
    for detail in details:
        more = _kind(detail["type"]).told
        shown.append({**detail, **(more(call, holder, detail) if more is not None else {})})
    return shown


def for_audience(details: Details, audience: Collection[str], own: str) -> Details:
    """Return what belongs into a token for that audience: nobody learns what is authorised elsewhere.

    What carries authority at our own API goes nowhere else; what limits goes everywhere, unless it names locations.
    """
    return tuple(
        detail
        for detail in details
        if set(audience) <= set(detail.get(LOCATIONS, audience))
        and (_kind(detail["type"]).scope is None or set(audience) == {own})
    )


def demand(call: Call, name: str, **what: str | Collection[str] | None) -> None:
    """Let a deed go on if the token is not confined by details of this type, or one of them reaches it.

    Args:
        call: the call.
        name: the type.
        what: by field what the deed is about: one value or several; None where it is about nothing of the kind.

    Raises:
        Problem: authorization_details_exceeded.
    """
    call.demanded_details.add(name)
    held = of_type(call.caller.details, name)
    if held and not any(_reaches(detail, what, call.now) for detail in held):
        fields = ", ".join(sorted(what)) or "the time"
        raise Problem("authorization_details_exceeded", f"No {name} of the token reaches this: compare {fields}.")


def limit(caller: Caller, name: str, field: str) -> frozenset[str] | None:
    """Return to which values the details of a type limit the caller; None where they do not."""
    held = [detail[field] for detail in of_type(caller.details, name) if field in detail]
    return frozenset(value for values in held for value in values) if held else None


def is_over(detail: Detail, now: datetime) -> bool:
    """Return whether the time of a detail is over."""
    return NOT_AFTER in detail and now >= moment(detail[NOT_AFTER])


def moment(text: str) -> datetime:
    """Return the moment that a text of the form 2026-11-22T08:00:00Z names; ValueError for any other."""
    return datetime.strptime(text, _UTC).replace(tzinfo=UTC)


def _checked(call: Call, app: App, sent: Any, *, own: str, has_person: bool) -> Detail:
    kind = detail_types.find(sent.get("type")) if isinstance(sent, dict) else None
    if kind is None:
        raise DetailsRefused(f"type is one of: {', '.join(detail_types.names())}.")
    if not may_ask(app, kind):
        raise DetailsRefused(f"This app is not registered for {kind.name}.")
    if kind.needs_person and not has_person:
        raise DetailsRefused(f"{kind.name} needs a person.")
    if strangers := sorted(sent.keys() - kind.fields.keys() - {"type"}):
        raise DetailsRefused(f"{kind.name} has no field {_shown(strangers[0])}.")
    for name, field in kind.fields.items():
        if name in sent:
            _check_field(call, f"{kind.name}.{name}", field, sent[name])
        elif field.is_required:
            raise DetailsRefused(f"{kind.name} needs {name}.")
    if is_over(sent, call.now):
        raise DetailsRefused(f"{kind.name}.{NOT_AFTER} has passed.")
    known = {own} if kind.scope is not None else {own, *app.resources}
    if not set(sent.get(LOCATIONS, ())) <= known:
        raise DetailsRefused(f"{kind.name}.{LOCATIONS} names another API than those of this type.")
    return {"type": kind.name, **{name: sent[name] for name in kind.fields if name in sent}}


def _check_field(call: Call, name: str, field: Field, value: Any) -> None:
    if field.shape is not Shape.TEXTS:
        values: Sequence[Any] = [value]
    elif isinstance(value, list) and 0 < len(value) <= MAX_VALUES:
        values = value
    else:
        raise DetailsRefused(f"{name} is an array of 1 to {MAX_VALUES} texts.")
    for one in values:
        if not isinstance(one, str) or not 0 < len(one) <= MAX_LENGTH or not one.isprintable():
            raise DetailsRefused(f"{name} holds texts of 1 to {MAX_LENGTH} printable characters.")
        if citizen.is_valid(one) and not credit_code.is_valid(one):
            raise DetailsRefused(f"{name}: a citizen's number does not belong into URLs and tokens.")
    if len(set(values)) < len(values):
        raise DetailsRefused(f"{name} names something twice.")
    _check_values(call, name, field, values)


def _check_values(call: Call, name: str, field: Field, values: Sequence[str]) -> None:
    if field.shape is Shape.MOMENT:
        try:
            moment(values[0])
        except ValueError:
            raise DetailsRefused(f"{name} is a moment like 2026-11-22T08:00:00Z.") from None
    if field.words and not field.words.keys() >= set(values):
        raise DetailsRefused(f"{name} is of: {', '.join(field.words)}.")
    if not all(field.holds(value) for value in values):
        raise DetailsRefused(f"{name} is malformed.")
    if field.among is not None and not field.among(call).keys() >= set(values):
        raise DetailsRefused(f"{name} names something that does not exist.")


def _is_within(shape: Shape, held: Any, asked: Any) -> bool:
    if asked is None:
        return False
    if shape is Shape.TEXTS:
        return set(asked) <= set(held)
    return bool(moment(asked) <= moment(held) if shape is Shape.MOMENT else asked == held)


def _reaches(detail: Detail, what: Mapping[str, str | Collection[str] | None], now: datetime) -> bool:
    if is_over(detail, now):
        return False
    for name, values in what.items():
        if name in detail:
            allowed = detail[name] if isinstance(detail[name], list) else [detail[name]]
            if values is None or not set([values] if isinstance(values, str) else values) <= set(allowed):
                return False
    return True


def _kind(name: str) -> DetailType:
    kind = detail_types.find(name)
    if kind is None:
        raise DetailsRefused("A type that was granted is not known any more.")
    return kind


def _shown(name: str) -> str:
    return name[:40] if name.isprintable() else "?"
