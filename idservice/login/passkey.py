"""Passkeys (通行密钥): Web Authentication Level 3. The authenticator has checked its user itself (UV), always.

The relying party is the host of the issuer, never what a request claims; a bare address cannot be one (section 5.1.3),
so none are offered there. A challenge is signed, good for one browser, one kind of ceremony, five minutes and one use.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update

from idservice import audit, signed_text
from idservice.db import add_if_new
from idservice.events import emit
from idservice.ids import secret_hash
from idservice.login.deeds import Deed
from idservice.login.models import Passkey
from idservice.models import UsedIdentifier
from keys.base64url import b64u, unb64u
from keys.ring import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from idservice.settings import Settings

LIFE = timedelta(minutes=5)
MOST = 10  # passkeys of one person
MAX_ANSWER = 16_384
MAX_TITLE = 64
NEW, USE = "new", "use"
TICKET = "passkey ticket"  # what is signed, and by no other page


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a page hands to the browser: the options as JSON, and the ticket that its form brings back."""

    options: str
    ticket: str


def is_offered(settings: Settings) -> bool:
    """Return whether passkeys can exist here: browsers bind them to a name, not to an address."""
    try:
        ipaddress.ip_address(_host(settings).strip("[]"))
    except ValueError:
        return True
    return False


def of_person(call: Call, subject: str) -> list[Passkey]:
    """Return the passkeys of a person, oldest first."""
    query = select(Passkey).where(Passkey.subject == subject)
    return list(call.session.scalars(query.order_by(Passkey.created_at, Passkey.credential_hash)))


def begin_use(call: Call, browser: str, subject: str | None = None) -> Ceremony:
    """Ask for a passkey: one of that person's, or whichever the visitor chooses.

    Written out here, because every showing of the login page needs it and the library is slow to load.
    """
    challenge = secrets.token_bytes(32)
    known = of_person(call, subject) if subject is not None else []
    allowed = [{"id": b64u(row.credential_id), "type": "public-key"} for row in known]
    options = {
        "challenge": b64u(challenge),
        "rpId": _host(call.settings),
        "allowCredentials": allowed,
        "userVerification": "required",
        "timeout": int(LIFE.total_seconds() * 1000),
    }
    return _ceremony(call, json.dumps(options), USE, browser, challenge)


def begin_new(call: Call, subject: str, browser: str, shown_name: str) -> Ceremony:
    """Ask the browser for a new passkey. Its user handle is the subject, a random identifier that names nobody."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    challenge = secrets.token_bytes(32)
    options = generate_registration_options(
        rp_id=_host(call.settings),
        rp_name="一号通行 One Number Access",
        user_name=shown_name,
        user_id=bytes.fromhex(subject),
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=row.credential_id) for row in of_person(call, subject)],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return _ceremony(call, options_to_json(options), NEW, browser, challenge)


def add(call: Call, sent: Mapping[str, str], *, subject: str, browser: str) -> bool:
    """Enter the passkey that the browser has made; return False where it did not do what was asked."""
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    challenge, answer = _claim(call, sent, NEW, browser), _json(sent.get("credential", ""))
    if challenge is None or answer is None or len(of_person(call, subject)) >= MOST:
        return False
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(call.settings),
            expected_origin=call.settings.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    row = {
        "subject": subject,
        "credential_hash": _hash(made.credential_id),
        "credential_id": made.credential_id,
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "title": _title(sent.get("title", "")),
        "created_at": call.now,
        "used_at": None,
    }
    if not add_if_new(call.session, Passkey, row):
        return False
    audit.record(call, Deed.FACTOR_ADDED, subject=subject, factor="passkey")
    emit.credential_changed(call, subject, credential="fido2-platform", change="create")
    return True


def check(call: Call, sent: Mapping[str, str], *, browser: str, subject: str | None = None) -> str | None:
    """Return whose passkey has signed our challenge; None for anything else, or where it is not `subject`'s."""
    challenge, answer = _claim(call, sent, USE, browser), _json(sent.get("credential", ""))
    if challenge is None or answer is None:
        return None
    row = _find(call, answer, subject)
    count = _verified_count(call, row, answer, challenge) if row is not None else None
    if row is None or count is None:
        return None
    unchanged = (Passkey.subject == row.subject, Passkey.credential_hash == row.credential_hash)
    used = update(Passkey).where(*unchanged, Passkey.sign_count == row.sign_count)
    used = used.values(sign_count=count, used_at=call.now)
    return call.session.scalar(used.returning(Passkey.subject).execution_options(synchronize_session=False))


def remove(call: Call, subject: str, credential_hash: str, *, by: str = "user") -> bool:
    """Forget a passkey, named by the hash of its identifier in hexadecimal; return whether it was there.

    Its owner does that, or `by` an "admin".
    """
    mine = (Passkey.subject == subject, Passkey.credential_hash == _unhex(credential_hash))
    if call.session.execute(delete(Passkey).where(*mine).returning(Passkey.subject)).first() is None:
        return False
    audit.record(call, Deed.FACTOR_REMOVED, subject=subject, factor="passkey")
    emit.credential_changed(call, subject, credential="fido2-platform", change="delete", by=by)
    return True


def _verified_count(call: Call, row: Passkey, answer: dict[str, Any], challenge: bytes) -> int | None:
    """Return the signature counter of an answer that holds; one that did not grow betrays a copy (section 6.1.1)."""
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_host(call.settings),
            expected_origin=call.settings.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return verified.new_sign_count


def _find(call: Call, answer: dict[str, Any], subject: str | None) -> Passkey | None:
    response = answer.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    named = _bytes(handle)
    if subject is None and named is None:
        return None
    if subject is not None and named is not None and named.hex() != subject:
        return None
    credential_id = _bytes(answer.get("id"))
    owner = subject or (named or b"").hex()
    return call.session.get(Passkey, (owner, _hash(credential_id))) if credential_id else None


def _bytes(text: object) -> bytes | None:
    try:
        return unb64u(text) if isinstance(text, str) and text else None
    except ValueError:
        return None


def _ceremony(call: Call, options: str, kind: str, browser: str, challenge: bytes) -> Ceremony:
    facts = [b64u(challenge), kind, browser, int(call.now.timestamp() * 1000)]
    return Ceremony(options, signed_text.sign(call.keys.secret(Purpose.SESSION), TICKET, facts))


def _claim(call: Call, sent: Mapping[str, str], kind: str, browser: str) -> bytes | None:
    """Return the challenge of a ticket that is ours, for this browser and ceremony, in time, and use it up."""
    live = call.keys.secrets(Purpose.SESSION).values()  # the page may have been opened before a rotation
    facts = signed_text.opened(live, TICKET, sent.get("ticket"))
    if facts is None:
        return None
    challenge, sealed_kind, sealed_browser, milliseconds = facts
    age = call.now - datetime.fromtimestamp(milliseconds / 1000, UTC)
    if sealed_kind != kind or not hmac.compare_digest(sealed_browser, browser) or age > LIFE:
        return None
    used = {"value_hash": secret_hash(f"passkey\0{challenge}"), "expires_at": call.now + LIFE}
    return unb64u(challenge) if add_if_new(call.session, UsedIdentifier, used) else None


def _json(text: str) -> dict[str, Any] | None:
    if len(text) > MAX_ANSWER:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _title(text: str) -> str:
    shown = "".join(character for character in text if character.isprintable()).strip()
    return shown[:MAX_TITLE] or "通行密钥"


def _host(settings: Settings) -> str:
    return urlsplit(settings.issuer).hostname or ""


def _hash(credential_id: bytes) -> bytes:
    return secret_hash(b64u(credential_id))


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
