"""Believe what a wallet presents (出示核验): who issued it, who holds it, for whom and for which request it was made.

Only what holds cryptographically becomes a `Presented`; whether the licence behind it is in force is judged when the
answer is read, for it may change until then. Whom we trust to have issued something is fixed beforehand; nothing in a
presentation says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from idservice.errors import Kind, Problem, register
from keys.base64url import b64u, unb64u
from keys.cbor import Tagged
from keys.certificates import parse as parse_certificate
from keys.ring import Purpose
from licences.copy_forms import point_of
from licences.formats import jwt_vc, key_binding
from licences.formats.disclosures import SDJWTError
from licences.formats.jwt_vc import CredentialError
from licences.formats.key_binding import Asked
from licences.formats.mdoc import MdocError
from licences.formats.mdoc_elements import SPACE
from licences.status import entries
from licences.wallets.presentation import device_response, issuers, jwt_presentation
from licences.wallets.presentation.claim_names import IDENTIFIER
from licences.wallets.presentation.dcql import JWT_VC, MDOC, SD_JWT
from licences.wallets.presentation.dcql_match import Candidate
from licences.wallets.presentation.device_response import DeviceError
from licences.wallets.presentation.jwt_presentation import PresentationError
from seals.house_certificate import CREDENTIALS
from seals.models import SealAuthority

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.wallets.presentation.dcql import CredentialQuery
    from licences.wallets.presentation.device_response import Session
    from licences.wallets.presentation.issuers import Foreign

register(
    {
        "wallet_presentation": Kind(400, "出示的凭证不可信", "What the wallet presents cannot be believed"),
    }
)


@dataclass(frozen=True, slots=True)
class Presented:
    """One presentation that holds: `candidate` is what the query looks at, the rest what the register is asked.

    `place` is that of its status in our lists; `begins` and `ends` are Unix seconds, None where it states none.
    """

    candidate: Candidate
    identifier: str
    disclosed: tuple[str, ...]
    place: int | None
    begins: int | None
    ends: int | None
    foreign: Foreign | None = None


def verify(call: Call, asked: CredentialQuery, token: str, session: Session) -> Presented:
    """Return what a presentation for one credential query says.

    Raises:
        Problem: wallet_presentation, with the code of what does not hold.
    """
    try:
        return _VERIFIERS[asked.format](call, token, session)
    except (SDJWTError, MdocError, DeviceError, CredentialError, PresentationError) as error:
        raise Problem("wallet_presentation", f"{asked.id}: {error.code}.") from None


def _sd_jwt(call: Call, token: str, session: Session) -> Presented:
    question, issuer = Asked(session.client_id, session.nonce), call.settings.signs_as
    if not token.isascii():
        raise SDJWTError("form")
    stated = issuers.issuer_of(token)
    if stated is not None and stated != issuer:
        return _foreign(call, token, question, stated)
    keys = call.keys.public(Purpose.LICENCE)
    found = key_binding.authenticate(token, question, keys=keys, issuer=issuer, now=call.now)
    claims = found.claims
    status = claims.get("status")
    return Presented(
        Candidate(SD_JWT, frozenset({claims["vct"]}), claims, is_bound=True, authorities=_authorities(call, found.kid)),
        _text(claims.get(IDENTIFIER)),
        found.disclosed,
        entries.place_of(call, status),
        _seconds(claims.get("nbf")),
        _seconds(claims.get("exp")),
    )


def _foreign(call: Call, token: str, question: Asked, issuer: str) -> Presented:
    """Believe a credential from elsewhere, by the bundle of its issuer alone."""
    found, known = issuers.believe(call, token, question, issuer=issuer)
    claims = found.claims
    candidate = Candidate(SD_JWT, frozenset({claims["vct"]}), claims, is_bound=True)
    return Presented(
        candidate, "", found.disclosed, None, _seconds(claims.get("nbf")), _seconds(claims.get("exp")), known
    )


def _mdoc(call: Call, token: str, session: Session) -> Presented:
    try:
        data = unb64u(token)
    except (ValueError, UnicodeEncodeError):
        raise DeviceError("malformed") from None
    keys = call.keys.public(Purpose.LICENCE).values()
    found = device_response.verify(data, session, keys, point_of)
    claims = {space: {name: _plain(value) for name, value in each.items()} for space, each in found.elements.items()}
    disclosed = tuple(sorted({name for each in claims.values() for name in each}))
    return Presented(
        Candidate(MDOC, frozenset({found.doc_type}), claims, is_bound=True, authorities=_authorities(call, found.kid)),
        _text(claims.get(SPACE, {}).get(IDENTIFIER)),
        disclosed,
        entries.place_of(call, found.status),
        int(found.validity.begins.timestamp()),
        int(found.validity.ends.timestamp()),
    )


def _jwt_vc(call: Call, token: str, session: Session) -> Presented:
    """Believe a presentation of a whole credential; one that comes bare proves nothing of who shows it."""
    question = Asked(session.client_id, session.nonce)
    keys, issuer = call.keys.public(Purpose.LICENCE), call.settings.signs_as
    if not token.isascii():
        raise PresentationError("malformed")
    is_bound = _is_presentation(token)
    if is_bound:
        claims = jwt_presentation.verify(token, question, keys=keys, issuer=issuer, now=call.now)
    else:
        claims = jwt_vc.authenticate(token, keys=keys, issuer=issuer)
    subject = claims["credentialSubject"]
    disclosed = ("holder_name", "holder_number", "licence_number", *(f"face_{name}" for name in subject["face"]))
    return Presented(
        Candidate(JWT_VC, frozenset(claims["type"]), claims, is_bound=is_bound),
        _text(subject.get("licenceIdentifier")),
        disclosed,
        entries.place_of(call, jwt_vc.reference_of(claims)),
        _moment(claims.get("validFrom")),
        _seconds(claims.get("exp")) or _moment(claims.get("validUntil")),
    )


def _is_presentation(token: str) -> bool:
    """Return whether a JWT holds a presentation, and not a credential itself; nothing of it is believed here."""
    try:
        return b'"vp"' in unb64u(token.split(".")[1])
    except (ValueError, IndexError):
        raise PresentationError("malformed") from None


def _authorities(call: Call, kid: str) -> frozenset[tuple[str, str]]:
    """Return by which authority's key (aki) the certificate of one of our issuing keys was signed, if it has one."""
    found = call.session.get(SealAuthority, f"{CREDENTIALS.prefix}{kid}")
    identifier = parse_certificate(found.certificate).extensions.authority_key_id if found is not None else None
    return frozenset() if identifier is None else frozenset({("aki", b64u(identifier))})


def _plain(value: Any) -> Any:
    """Return an element of an mdoc as JSON has it: days and moments as their text, bytes in base64url."""
    if isinstance(value, Tagged):
        return _plain(value.value)
    if isinstance(value, bytes):
        return b64u(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) else None


def _moment(value: Any) -> int | None:
    return int(datetime.fromisoformat(value).astimezone(UTC).timestamp()) if isinstance(value, str) else None


_VERIFIERS: Final = {SD_JWT: _sd_jwt, MDOC: _mdoc, JWT_VC: _jwt_vc}
