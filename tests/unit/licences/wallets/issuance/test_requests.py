"""What wallets send: every body is read, or refused by a code of the standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from licences.wallets.issuance import encryption, requests
from licences.wallets.issuance.refusals import Refusal, WalletRefused

NAMES = (
    "credential_configuration_id", "credential_identifier", "proofs", "credential_response_encryption", "jwt", "jwk",
    "enc", "zip", "alg", "kty", "crv", "x", "y", "kid", "transaction_id", "notification_id", "event",
    "event_description", "format",
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["EC", "P-256", "ECDH-ES", "A128GCM", "credential_accepted"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_any_body_is_read_or_refused(body: Any) -> None:
    for read in (requests.wanted, requests.waiting, requests.told):
        assert refusal_of(read, body) in {None, *Refusal}


def refusal_of(read: Callable[[Any], object], body: Any) -> Refusal | None:
    """Return why a body is refused, None where it is read; whatever else is raised fails the test."""
    try:
        read(body)
    except WalletRefused as refused:
        return refused.code if refused.description else None
    return None


def test_a_request_is_read() -> None:
    key = ECKey.generate_key("P-256").as_dict(private=False) | {"alg": "ECDH-ES"}
    asked = {
        "credential_identifier": "a",
        "proofs": {"jwt": ["x", "y"]},
        "credential_response_encryption": {"jwk": key, "enc": "A256GCM"},
        "of_tomorrow": 1,
    }
    found = requests.wanted(asked)
    assert (found.configuration, found.identifier, found.proofs) == (None, "a", ("x", "y"))
    assert found.envelope is not None
    assert found.envelope.cipher == "A256GCM"


def test_a_private_key_is_no_envelope() -> None:
    key = ECKey.generate_key("P-256").as_dict(private=True) | {"alg": "ECDH-ES"}
    with pytest.raises(WalletRefused, match="invalid_encryption_parameters"):
        encryption.read({"jwk": key, "enc": "A256GCM"})


def test_a_notification_is_read() -> None:
    told = requests.told({"notification_id": "n", "event": "credential_deleted", "event_description": "by its holder"})
    assert (told.notification, told.event) == ("n", requests.Event.DELETED)
