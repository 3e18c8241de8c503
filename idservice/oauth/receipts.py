"""Consent receipts (同意凭证): made in the transaction of the consent or withdrawal itself, listed, fetched again.

No receipt, no consent: where no key can sign, nothing is allowed. The next receipt about one app names the one before
it, so that the chain from the first consent to its withdrawal can be followed without us.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select

from idservice.db import table_of
from idservice.ids import timed_id
from idservice.models import Client, Organisation
from idservice.oauth import clients, consent_purposes, consent_receipt
from idservice.oauth.consent_receipt import Event, Facts, Purpose
from idservice.oauth.models import ConsentReceipt
from idservice.oauth.subjects import pairwise
from idservice.statement import Statement
from keys.base64url import unb64u
from keys.jws import encode
from keys.ring import Purpose as KeyPurpose

if TYPE_CHECKING:
    from idservice.call import Call


_ID = re.compile(r"[0-9a-f]{32}\Z")

_receipt, _client = table_of(ConsentReceipt), table_of(Client).c
_INSERT = Statement(insert(_receipt))
_NEWEST = Statement(
    select(_receipt.c.receipt_id, _receipt.c.event, _receipt.c.receipt_sealed)
    .where(_receipt.c.subject == bindparam("holder"), _receipt.c.client_id == bindparam("client_id"))
    .order_by(_receipt.c.receipt_id.desc())
    .limit(1)
)
_CLIENT = Statement(
    select(_client.client_id, _client.name, _client.unit, _client.sector).where(
        _client.client_id == bindparam("client_id")
    )
)
_ORGANISATION = Statement(
    select(table_of(Organisation).c.subject).where(table_of(Organisation).c.subject == bindparam("holder"))
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A receipt as lists show it; `about` is the earlier receipt it follows or withdraws."""

    id: str
    client_id: str
    name: str
    unit: str
    event: str
    at: datetime
    about: str | None


def given(
    call: Call,
    holder: str,
    client_id: str,
    scope: Collection[str],
    *,
    more: Sequence[Purpose] = (),
    language: str = "zh",
) -> str:
    """Make the receipt of a consent to `scope`, and to `more` that stood on the same page; return its identifier."""
    is_own = holder == call.caller.person
    is_organisation = not is_own and _ORGANISATION.first(call.connection, {"holder": holder}) is not None
    purposes = [*consent_purposes.of_scope(scope, organisation=is_organisation), *more]
    shown = [purpose.as_json(language) for purpose in purposes]
    tongue = consent_receipt.LANGUAGES[language]
    previous = _newest(call, holder, client_id)
    return _make(call, Event.GIVEN, holder, client_id, shown, tongue, previous.receipt_id if previous else None)


def withdrawn(call: Call, holder: str, client_id: str, scope: Collection[str]) -> str:
    """Make the receipt of a withdrawal, which repeats what was allowed and names the receipt of that.

    A consent older than receipts has none to name; then `scope` says what was allowed.
    """
    previous = _newest(call, holder, client_id)
    if previous is None:
        lines = consent_purposes.of_scope(scope, organisation=False)
        purposes: list[Mapping[str, Any]] = [line.as_json("zh") for line in lines]
        return _make(call, Event.WITHDRAWN, holder, client_id, purposes, consent_receipt.LANGUAGES["zh"], None)
    before = _claims(_open(call, previous))
    return _make(call, Event.WITHDRAWN, holder, client_id, before["purposes"], before["language"], previous.receipt_id)


def is_identifier(text: str) -> bool:
    """Return whether `text` has the form of a receipt's identifier."""
    return _ID.match(text) is not None


def find(call: Call, holder: str, receipt_id: str) -> str | None:
    """Return the signed receipt, as it was signed, or None where the holder has none of that name."""
    row = call.session.get(ConsentReceipt, (holder, receipt_id)) if is_identifier(receipt_id) else None
    return _open(call, row) if row is not None else None


def of_holder(call: Call, holder: str, *, limit: int, cursor: str | None = None) -> tuple[list[Listed], str | None]:
    """Return a page of the holder's receipts, newest first, and the cursor of the next page."""
    newest = ConsentReceipt.receipt_id.desc()
    query = select(ConsentReceipt).where(ConsentReceipt.subject == holder).order_by(newest).limit(limit + 1)
    if cursor is not None:
        query = query.where(ConsentReceipt.receipt_id < cursor)
    rows = call.session.scalars(query).all()
    return [_listed(call, row) for row in rows[:limit]], rows[limit - 1].receipt_id if len(rows) > limit else None


def newest_given(call: Call, holder: str) -> dict[str, str]:
    """Return by client the identifier of the newest receipt of a consent."""
    query = select(ConsentReceipt.client_id, func.max(ConsentReceipt.receipt_id)).where(
        ConsentReceipt.subject == holder, ConsentReceipt.event == Event.GIVEN
    )
    rows = call.session.execute(query.group_by(ConsentReceipt.client_id))
    return {row[0]: row[1] for row in rows}


def _newest(call: Call, holder: str, client_id: str) -> Any:
    """Return the newest receipt about a client, unless that consent has ended since."""
    row = _NEWEST.first(call.connection, {"holder": holder, "client_id": client_id})
    return row if row is not None and row.event == Event.GIVEN else None


def _make(
    call: Call,
    event: Event,
    holder: str,
    client_id: str,
    purposes: Sequence[Mapping[str, Any]],
    language: str,
    previous: str | None,
) -> str:
    name, unit, sector = _app(call, client_id)
    secret = call.keys.secret(KeyPurpose.SUBJECT)
    person = call.caller.person
    facts = Facts(
        issuer=call.settings.issuer,
        receipt_id=timed_id(call.now),
        at=call.now,
        event=event,
        subject=pairwise(secret, sector, holder),
        actor=pairwise(secret, sector, person) if person is not None and person != holder else None,
        client_id=client_id,
        app=name,
        unit=unit,
        purposes=purposes,
        language=language,
        previous=previous,
    )
    signer = call.keys.signer(KeyPurpose.RECEIPT)
    receipt = encode(consent_receipt.body(facts), signer=signer, typ=consent_receipt.TYPE)
    packed, row = consent_receipt.pack(receipt), facts.receipt_id
    _INSERT.run(
        call.connection,
        {
            "subject": holder,
            "receipt_id": row,
            "client_id": client_id,
            "event": str(event),
            "at": call.now,
            "receipt_sealed": call.cipher.seal(packed, table="consent_receipt", column="receipt_sealed", row=row),
        },
    )
    return row


def _app(call: Call, client_id: str) -> tuple[str, str, str]:
    """Return name, unit and sector of an app; one that was disabled since may still be taken a consent from."""
    if (app := clients.find(call, client_id)) is not None:
        return app.name, app.unit, app.sector
    row = _CLIENT.first(call.connection, {"client_id": client_id})
    return row.name, row.unit, clients.sector_of(row)


def _open(call: Call, row: Any) -> str:
    sealed, name = row.receipt_sealed, row.receipt_id
    return consent_receipt.unpack(call.cipher.open(sealed, table="consent_receipt", column="receipt_sealed", row=name))


def _claims(receipt: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(unb64u(receipt.split(".")[1]))
    return claims


def _listed(call: Call, row: ConsentReceipt) -> Listed:
    claims = _claims(_open(call, row))
    controller, event = claims["pii_controller"], claims["event"]
    return Listed(
        id=row.receipt_id,
        client_id=row.client_id,
        name=controller["service"],
        unit=controller["party_name"],
        event=row.event,
        at=row.at,
        about=event.get("follows") or event.get("withdraws"),
    )
