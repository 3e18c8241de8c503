"""What wallets send (钱包请求), read strictly: OpenID4VCI 1.0 sections 8.2, 9.1, 11.1. Unknown members are ignored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from licences.wallets.issuance import encryption, proofs
from licences.wallets.issuance.refusals import Refusal, WalletRefused

if TYPE_CHECKING:
    from licences.wallets.issuance.encryption import Envelope

MAX_NAME: Final = 128
_DESCRIPTION: Final = frozenset(map(chr, (0x20, 0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))))  # section 11.1
_MAX_DESCRIPTION: Final = 512
_MOST_PROOFS: Final = {"jwt": proofs.BATCH, "attestation": 1}


class Event(StrEnum):
    """What became of what was delivered, as the wallet says."""

    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A credential request: by configuration or by the identifier of a dataset, never both."""

    configuration: str | None
    identifier: str | None
    proofs: tuple[str, ...]
    is_attested: bool  # by one proof of type `attestation`, in place of proofs of type `jwt`
    envelope: Envelope | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A deferred credential request."""

    transaction: str
    envelope: Envelope | None


@dataclass(frozen=True, slots=True)
class Told:
    """A notification."""

    notification: str
    event: Event


def wanted(body: Any) -> Wanted:
    """Return a credential request.

    Raises:
        WalletRefused: invalid_credential_request, invalid_proof or invalid_encryption_parameters.
    """
    body = _object(body, Refusal.REQUEST)
    configuration, identifier = (
        _name(body, name, Refusal.REQUEST) for name in ("credential_configuration_id", "credential_identifier")
    )
    if (configuration is None) is (identifier is None):
        raise WalletRefused(
            Refusal.REQUEST, "Name a credential_configuration_id or a credential_identifier, and one of them alone."
        )
    is_attested, found = _proofs(body)
    return Wanted(configuration, identifier, found, is_attested, _envelope(body))


def waiting(body: Any) -> Waiting:
    """Return a deferred credential request.

    Raises:
        WalletRefused: invalid_credential_request or invalid_encryption_parameters.
    """
    body = _object(body, Refusal.REQUEST)
    transaction = _name(body, "transaction_id", Refusal.REQUEST)
    if transaction is None:
        raise WalletRefused(Refusal.REQUEST, "transaction_id is missing.")
    return Waiting(transaction, _envelope(body))


def told(body: Any) -> Told:
    """Return a notification.

    Raises:
        WalletRefused: invalid_notification_request.
    """
    body = _object(body, Refusal.NOTIFICATION)
    notification = _name(body, "notification_id", Refusal.NOTIFICATION)
    event, description = body.get("event"), body.get("event_description", "")
    if notification is None or not isinstance(event, str) or event not in set(Event):
        raise WalletRefused(Refusal.NOTIFICATION, f"notification_id and event are needed; event is {', '.join(Event)}.")
    is_plain = isinstance(description, str) and len(description) <= _MAX_DESCRIPTION
    if not is_plain or not set(description) <= _DESCRIPTION:
        raise WalletRefused(Refusal.NOTIFICATION, "event_description is plain ASCII, at most 512 characters.")
    return Told(notification, Event(event))


def _object(body: Any, code: Refusal) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise WalletRefused(code, "The body is a JSON object.")
    return body


def _name(body: dict[str, Any], name: str, code: Refusal) -> str | None:
    if name not in body:
        return None
    value = body[name]
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isascii() or not value.isprintable():
        raise WalletRefused(code, f"{name} is a text of 1 to {MAX_NAME} characters.")
    return value


def _proofs(body: dict[str, Any]) -> tuple[bool, tuple[str, ...]]:
    stated = body.get("proofs")
    if not isinstance(stated, dict) or len(stated) != 1:
        raise WalletRefused(Refusal.PROOF, "proofs holds one member, the type of the proofs.")
    ((kind, found),) = stated.items()
    if kind not in _MOST_PROOFS:
        raise WalletRefused(Refusal.PROOF, f"Proofs are of type: {', '.join(_MOST_PROOFS)}.")
    if not isinstance(found, list) or not 0 < len(found) <= _MOST_PROOFS[kind]:
        raise WalletRefused(Refusal.PROOF, f"proofs.{kind} is an array of 1 to {_MOST_PROOFS[kind]} proofs.")
    if not all(isinstance(proof, str) for proof in found):
        raise WalletRefused(Refusal.PROOF, "A proof is a text.")
    return kind == "attestation", tuple(found)


def _envelope(body: dict[str, Any]) -> Envelope | None:
    stated = body.get("credential_response_encryption")
    return None if stated is None else encryption.read(stated)
