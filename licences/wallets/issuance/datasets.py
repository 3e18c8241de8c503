"""Which licences a wallet can be given (可放入钱包的证照): the holder's own, in force, and by what name a wallet asks.

OpenID4VCI 1.0 section 6.2: a `credential_identifier` names one of the holder's data sets in one form. Ours is a keyed
hash, so that it tells nobody the number of a licence.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from sqlalchemy import select

from keys.base64url import b64u
from keys.ring import Purpose
from licences import acting, co_holders, read
from licences.lifecycle import State
from licences.models import Licence

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.wallets.issuance.configurations import Configuration

_MOST = 64  # licences of one type that one holder has


def of_holder(call: Call, holder: str, type_code: str) -> list[Licence]:
    """Return the holder's licences of a type that are in force, the newest first."""
    wanted = read.conditions(call, type_code=type_code, state=State.VALID)
    found: list[Licence] = []
    for held in (select(Licence).where(Licence.subject == holder), co_holders.shared(holder)):
        found += call.session.scalars(held.where(*wanted).order_by(Licence.issued_at.desc()).limit(_MOST))
    return sorted(found, key=lambda licence: (licence.issued_at, licence.identifier), reverse=True)


def within_reach(call: Call, type_code: str) -> list[Licence]:
    """Return those of the caller's holder, if his mandate reaches that type; else none."""
    holder = call.caller.holder
    if holder is None or not acting.reach(call).covers(type_code):
        return []
    return of_holder(call, holder, type_code)


def name(call: Call, holder: str, configuration: str, identifier: str) -> str:
    """Return the credential identifier of a licence in a configuration (22 characters)."""
    text = f"credential identifier|{holder}|{configuration}|{identifier}"
    return b64u(hmac.digest(call.keys.secret(Purpose.SUBJECT), text.encode(), "sha256")[:16])


def names(call: Call, holder: str, configuration: Configuration) -> dict[str, Licence]:
    """Return the holder's licences in force of a configuration's type by their credential identifiers."""
    held = of_holder(call, holder, configuration.type.code)
    return {name(call, holder, configuration.name, licence.identifier): licence for licence in held}
