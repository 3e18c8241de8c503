"""What a wallet is told that asks wrongly (拒绝理由): OpenID4VCI 1.0 sections 8.3.1.2, 9.3 and 11.3."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """The error codes of the credential, deferred credential and notification endpoints."""

    REQUEST = "invalid_credential_request"
    CONFIGURATION = "unknown_credential_configuration"
    IDENTIFIER = "unknown_credential_identifier"
    PROOF = "invalid_proof"
    NONCE = "invalid_nonce"
    ENCRYPTION = "invalid_encryption_parameters"
    DENIED = "credential_request_denied"
    TRANSACTION = "invalid_transaction_id"
    NOTIFICATION = "invalid_notification_request"
    NOTIFICATION_ID = "invalid_notification_id"


class WalletRefused(Exception):
    """The request is refused; `description` is for the wallet's developer and holds no personal data."""

    def __init__(self, code: Refusal, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
