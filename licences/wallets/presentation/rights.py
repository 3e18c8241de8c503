"""What an app may ask of wallets without a matter (登记用证范围): entered by the operator, type by type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from idservice import audit
from licences.deeds import Deed
from licences.wallets.presentation.models import WalletRight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call


def put(call: Call, client_id: str, kind: str, fields: Sequence[str]) -> None:
    """Let an app ask for these fields (`*`: all) of a type of credential, in place of what it might before."""
    named = {"client_id": client_id, "type": kind}
    entered = {"fields": sorted(set(fields)), "entered_at": call.now, "entered_by": call.caller.name_for_log}
    call.session.merge(WalletRight(**named, **entered))
    facts: dict[str, Any] = {"client": client_id, "type": kind, "fields": entered["fields"]}
    audit.record(call, Deed.WALLET_RIGHT_ENTERED, **facts)


def remove(call: Call, client_id: str, kind: str) -> bool:
    """Take a right away and return whether there was one."""
    where = (WalletRight.client_id == client_id, WalletRight.type == kind)
    found = call.session.execute(delete(WalletRight).where(*where).returning(WalletRight.type)).first()
    if found is not None:
        facts: dict[str, Any] = {"client": client_id, "type": kind, "fields": []}
        audit.record(call, Deed.WALLET_RIGHT_ENTERED, **facts)
    return found is not None


def every(call: Call) -> list[WalletRight]:
    """Return all rights, by app and type."""
    return list(call.session.scalars(select(WalletRight).order_by(WalletRight.client_id, WalletRight.type)))
