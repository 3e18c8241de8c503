"""What is registered of a client as one document (应用登记项), and the same judged anew when any of it changes.

Whoever changes a client is held to the rules by which it was registered: those of `clients.checked`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from idservice import audit
from idservice.models import Client
from idservice.oauth import clients, grant_policy, mtls, registration_uris
from idservice.oauth.clients import RegistrationRefused
from idservice.oauth.grant_policy import GrantPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idservice.call import Call

LISTS: Final = (
    "grant_types", "redirect_uris", "post_logout_redirect_uris", "demands", "departments",
    "authorization_details_types", "resources",
)  # fmt: skip
NULLABLE: Final = ("certificate", "sector", "logout", "jwks", "jwks_uri")

_MAY_SHRINK: Final = frozenset({*LISTS} - {"demands"})
_KEYS: Final = frozenset({"jwks", "jwks_uri"})  # the first are found at the second
_KEPT_SECRET: Final = "0" * 32  # stands for a secret that we know as a hash alone, while the rules look


def read(call: Call, row: Client) -> dict[str, Any]:
    """Return all that is registered of a client, but what proves it."""
    policy = asdict(grant_policy.find(call.session, row.client_id))
    return {
        **{name: getattr(row, name) for name in ("name", "unit", "auth_method", "scope", "profile")},
        **{name: list(getattr(row, name) or ()) for name in LISTS},
        **{name: getattr(row, name) for name in NULLABLE},
        "certificate": _stated_certificate(row),
        "policy": policy | {"audiences": list(policy["audiences"])},
    }


def changes(call: Call, row: Client, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of `stated` differs from what is registered, if the client could be registered so.

    Raises:
        RegistrationRefused: nothing differs, or something of it is unsafe or contradictory.
    """
    held = read(call, row)
    found = {name: value for name, value in stated.items() if value != held[name]}
    if not found:
        raise RegistrationRefused("nothing of it differs from what is registered")
    refuse_reserved(call, found, row.client_id, held["departments"])
    judged(call, row, held | found, secret=_KEPT_SECRET if needs_secret(row, found) else None)
    return found


def refuse_reserved(call: Call, stated: Mapping[str, Any], client_id: str, departments: Sequence[str] = ()) -> None:
    """Refuse what only the demonstration or a document at the client's own address may say, and who does not exist.

    Raises:
        RegistrationRefused: see the message.
    """
    if "*" in (stated.get("departments") or ()) and "*" not in departments:
        raise RegistrationRefused("departments: name them")
    if (stated.get("sector") or "").startswith("host:"):
        raise RegistrationRefused("sector: host: is for clients that registered themselves with such a document")
    if (uri := stated.get("jwks_uri")) is not None and not registration_uris.is_public(uri):
        raise RegistrationRefused("jwks_uri is an https URI of a public host")
    actor = (stated.get("policy") or {}).get("actor")
    if actor is not None and (actor == client_id or clients.find(call, actor) is None):
        raise RegistrationRefused("policy: actor is another client that is registered")


def needs_secret(row: Client, changed: Mapping[str, Any]) -> bool:
    """Return whether the client proves itself by a secret from now, and has none."""
    return row.secret_hash is None and changed.get("auth_method", row.auth_method).startswith("client_secret")


def is_narrower(held: Mapping[str, Any], changed: Mapping[str, Any]) -> bool:
    """Return whether the changes only take away from what the client may do, or from the keys that prove it."""
    return all(_is_less(name, held[name], value) for name, value in changed.items())


def change(call: Call, row: Client, changed: Mapping[str, Any], *, secret: str | None = None) -> None:
    """Let this be registered of the client from now; who looks at the log sees what was before.

    Raises:
        RegistrationRefused: it could not be registered so any more.
    """
    held = read(call, row)
    settings = held | dict(changed)
    columns = judged(call, row, settings, secret=secret)
    for name, value in columns.items():
        setattr(row, name, value)
    if secret is not None or row.secret_hash is None:
        row.previous_secret_hash = row.previous_secret_until = None
    row.settled = sorted({*(row.settled or ()), *changed})
    grant_policy.put(call.session, row.client_id, policy_of(settings))
    call.session.flush()
    clients.forget(call.house, row.client_id)
    told = {name: {"before": _told(name, held[name]), "after": _told(name, value)} for name, value in changed.items()}
    audit.record(call, audit.Deed.CLIENT_CHANGED, client=row.client_id, settings=told)


def settled(call: Call, row: Client, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stays of a client, whatever it states of itself now: what an administrator has set (see `change`).

    It may demand more of itself than he does. Its scope is not among these: that never grows, and may shrink.
    """
    names = set(row.settled or ())
    if names & _KEYS:
        names |= _KEYS
    held = read(call, row)
    kept = {name: held[name] for name in names & (stated.keys() - {"scope"})}
    if "demands" in kept:
        kept["demands"] = list(dict.fromkeys([*kept["demands"], *stated["demands"]]))
    return kept


def judged(call: Call, row: Client, settings: Mapping[str, Any], *, secret: str | None = None) -> dict[str, Any]:
    """Return the columns of a client of whom this is stated now; a secret it has stays unless there is a new one.

    Raises:
        RegistrationRefused: something of it is unsafe or contradictory.
    """
    stated = {**settings, "policy": policy_of(settings)}
    needs_secret = settings["auth_method"].startswith("client_secret")
    is_kept = needs_secret and secret is None and row.secret_hash is not None
    columns = clients.checked(call, **stated, about=row.about, secret=_KEPT_SECRET if is_kept else secret)
    return columns | found_there(row, settings["jwks_uri"]) | ({"secret_hash": row.secret_hash} if is_kept else {})


def policy_of(settings: Mapping[str, Any]) -> GrantPolicy:
    """Return what the document says about CIBA and token exchange."""
    stated = settings["policy"]
    return GrantPolicy(**{**stated, "audiences": tuple(stated["audiences"])})


def found_there(row: Client, jwks_uri: str | None) -> dict[str, Any]:
    """Return when keys were asked for and found at that address: no change makes them younger, and a new one is new."""
    known = row if jwks_uri == row.jwks_uri else None
    return {name: getattr(known, name, None) for name in ("jwks_fetched_at", "jwks_read_at")}


def _stated_certificate(row: Client) -> dict[str, Any] | None:
    """Return what was stated of the certificate; hashes that follow from the keys are found anew from these."""
    if row.auth_method != mtls.SELF_SIGNED or row.certificate is None:
        return row.certificate
    stated = mtls.stated(row.certificate, row.jwks)
    return {mtls.HASHES: stated} if stated else None


def _is_less(name: str, before: Any, after: Any) -> bool:
    if name == "scope":
        return set(after.split()) < set(before.split())
    if name == "jwks":
        return bool(before and after) and _keys(after) < _keys(before)
    return name in _MAY_SHRINK and set(after) < set(before)


def _keys(jwks: Mapping[str, Any]) -> set[str]:
    """Return a digest of each key, which stands for it whatever its `kid` says."""
    listed = [json.dumps(key, sort_keys=True).encode() for key in jwks["keys"]]
    return {hashlib.sha256(key).hexdigest() for key in listed}


def _told(name: str, value: Any) -> Any:
    """Return what the log says of a setting: of keys their digests, which are enough to tell them apart."""
    return sorted(_keys(value)) if name == "jwks" and value else value
