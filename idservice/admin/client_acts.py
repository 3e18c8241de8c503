"""What administrators do to apps (应用管理): create, change, rotate a secret with an overlap, disable, enable.

An app's rules are those of `oauth.clients` and no others. A secret is made when it is asked for, shown then and never
again, and works from the moment a second administrator approves.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from idservice import audit
from idservice.admin import roles
from idservice.admin.deeds import AdminDeed
from idservice.admin.roles import Role
from idservice.errors import FieldProblem, Problem
from idservice.ids import secret_hash
from idservice.models import Client
from idservice.oauth import client_settings, clients, scopes
from idservice.oauth.clients import RegistrationRefused

if TYPE_CHECKING:
    from idservice.call import Call

STATED: Final = (
    "name",
    "unit",
    "auth_method",
    "scope",
    "profile",
    "policy",
    *client_settings.LISTS,
    *client_settings.NULLABLE,
)
LONGEST_OVERLAP: Final = timedelta(days=7)


def new_secret() -> str:
    """Return a client secret of 256 bits."""
    return secrets.token_urlsafe(32)


def propose(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a new client, with identifier and secret, if it could be registered.

    Raises:
        Problem: invalid.
    """
    stated = {name: facts[name] for name in STATED if facts.get(name) is not None}
    stated["client_id"] = facts.get("client_id") or f"app-{secrets.token_hex(6)}"
    if str(stated.get("auth_method", "")).startswith("client_secret"):
        stated["secret"] = new_secret()
    if not clients.is_identifier(stated["client_id"]) or call.session.get(Client, stated["client_id"]) is not None:
        raise Problem("invalid", "", errors=[FieldProblem("/client_id", "taken", "malformed or taken")])
    try:
        client_settings.refuse_reserved(call, stated, stated["client_id"])
        clients.checked(call, **{name: value for name, value in _ready(stated).items() if name != "client_id"})
    except RegistrationRefused as error:
        raise Problem("invalid", "", errors=[FieldProblem("", "refused", str(error))]) from None
    return stated


def create(call: Call, facts: dict[str, Any]) -> None:
    """Register the client.

    Raises:
        Problem: conflict, if it could not be registered any more.
    """
    try:
        clients.register(call, **_ready(facts))
    except RegistrationRefused as error:
        raise Problem("conflict", str(error)) from None
    audit.record(call, AdminDeed.CLIENT_CREATED, client=facts["client_id"], scope=facts["scope"].split())


def _ready(stated: dict[str, Any]) -> dict[str, Any]:
    return {**stated, "policy": client_settings.policy_of(stated)} if "policy" in stated else stated


def propose_rotation(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a new secret for a client that has one.

    Raises:
        Problem: not_found; conflict.
    """
    row = find(call, facts["client_id"])
    if row.secret_hash is None:
        raise Problem("conflict", "This client has no secret: it proves itself by keys, or not at all.")
    return {**facts, "secret": new_secret()}


def rotate(call: Call, facts: dict[str, Any]) -> None:
    """Let the new secret hold from now, and the old one for the overlap."""
    row = find(call, facts["client_id"])
    overlap = min(timedelta(hours=facts["overlap_hours"]), LONGEST_OVERLAP)
    row.previous_secret_hash, row.previous_secret_until = row.secret_hash, call.now + overlap
    row.secret_hash = secret_hash(facts["secret"])
    _changed(call, row)
    audit.record(call, AdminDeed.CLIENT_SECRET_ROTATED, client=row.client_id, overlap_hours=facts["overlap_hours"])


def propose_scope(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a wider scope: all the client would have, by the rules of a new client of its kind.

    Raises:
        Problem: not_found; invalid.
    """
    row = find(call, facts["client_id"])
    wanted = scopes.split(facts["scope"])
    if not wanted or not set(wanted) <= scopes.CATALOGUE.keys() or set(wanted) <= set(row.scope.split()):
        raise Problem("invalid", "", errors=[FieldProblem("/scope", "choice", "not scopes, or none that is new")])
    scope = " ".join(dict.fromkeys([*row.scope.split(), *wanted]))
    try:
        client_settings.judged(call, row, client_settings.read(call, row) | {"scope": scope})
    except RegistrationRefused as error:
        raise Problem("invalid", "", errors=[FieldProblem("/scope", "refused", str(error))]) from None
    return {**facts, "scope": scope}


def widen(call: Call, facts: dict[str, Any]) -> None:
    """Let the client ask for more.

    Raises:
        Problem: conflict, if it may not any more.
    """
    row = find(call, facts["client_id"])
    added = sorted(set(facts["scope"].split()) - set(row.scope.split()))
    scope = " ".join(dict.fromkeys([*row.scope.split(), *added]))
    try:
        row.scope = client_settings.judged(call, row, client_settings.read(call, row) | {"scope": scope})["scope"]
    except RegistrationRefused as error:
        raise Problem("conflict", str(error)) from None
    _changed(call, row)
    audit.record(call, AdminDeed.CLIENT_SCOPE_WIDENED, client=row.client_id, scope=added)


def propose_settings(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of other settings: each that changes as it is and as it is to be, and a secret if it needs one.

    Raises:
        Problem: not_found; invalid.
    """
    row = find(call, facts["client_id"])
    changed = _changes(call, row, facts["settings"])
    held = client_settings.read(call, row)
    kept = {"client_id": row.client_id, "before": {name: held[name] for name in changed}, "settings": changed}
    return kept | ({"secret": new_secret()} if client_settings.needs_secret(row, changed) else {})


def change_settings(call: Call, facts: dict[str, Any]) -> None:
    """Let the settings be as was asked for, if they are still what they were then.

    Raises:
        Problem: conflict.
    """
    row = find(call, facts["client_id"])
    held = client_settings.read(call, row)
    if any(held[name] != value for name, value in facts["before"].items()):
        raise Problem("conflict", "The app was changed after this was asked for: refuse the request.")
    try:
        client_settings.change(call, row, facts["settings"], secret=facts.get("secret"))
    except RegistrationRefused as error:
        raise Problem("conflict", str(error)) from None


def narrow(call: Call, client_id: str, stated: dict[str, Any]) -> bool:
    """Change settings at once if that only takes something away, as one person may disable an app; return whether.

    Raises:
        Problem: forbidden; not_found; invalid.
    """
    roles.demand(call, Role.SYSTEM, Role.SECURITY)
    row = find(call, client_id)
    changed = _changes(call, row, stated)
    if not client_settings.is_narrower(client_settings.read(call, row), changed):
        return False
    client_settings.change(call, row, changed)
    return True


def _changes(call: Call, row: Client, stated: dict[str, Any]) -> dict[str, Any]:
    try:
        return client_settings.changes(call, row, stated)
    except RegistrationRefused as error:
        raise Problem("invalid", "", errors=[FieldProblem("/settings", "refused", str(error))]) from None


def disable(call: Call, client_id: str) -> None:
    """Stop a client at once; everything issued to it is void while it is disabled.

    Raises:
        Problem: not_found.
    """
    stopped = (
        update(Client)
        .where(Client.client_id == client_id, Client.disabled_at.is_(None))
        .values(disabled_at=call.now)
        .returning(Client.client_id)
    )
    if call.session.execute(stopped).one_or_none() is None:
        raise Problem("not_found", "There is no such client, or it is disabled.")
    clients.forget(call.house, client_id)
    audit.record(call, AdminDeed.CLIENT_DISABLED, client=client_id)


def enable(call: Call, facts: dict[str, Any]) -> None:
    """Let a disabled client work again."""
    row = find(call, facts["client_id"])
    row.disabled_at = None
    _changed(call, row)
    audit.record(call, AdminDeed.CLIENT_ENABLED, client=row.client_id)


def find(call: Call, client_id: str) -> Client:
    """Return a client, disabled or not.

    Raises:
        Problem: not_found.
    """
    row = call.session.get(Client, client_id) if clients.is_identifier(client_id) else None
    if row is None:
        raise Problem("not_found", "There is no such client.")
    return row


def listed(call: Call, *, limit: int, cursor: str | None) -> list[Client]:
    """Return one page (and one more) of all clients, by identifier."""
    rows = select(Client).order_by(Client.client_id).limit(limit + 1)
    return list(call.session.scalars(rows.where(Client.client_id > cursor) if cursor is not None else rows))


def _changed(call: Call, row: Client) -> None:
    call.session.flush()
    clients.forget(call.house, row.client_id)
