"""A holder's telephone in a test: a key of its own, the licences it was given, and a clock that can be wrong."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from keys.base64url import unb64u
from keys.signer import Algorithm, SoftwareSigner, generate_private, load_private
from licences.formats import device_code
from tests.town import ALICE, Town


@dataclass
class Device:
    """A device that has a key; `enrol` gives it licences."""

    signer: SoftwareSigner = field(
        default_factory=lambda: load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    )
    credentials: dict[str, bytes] = field(default_factory=dict)

    @property
    def jwk(self) -> dict[str, str]:
        return self.signer.public.jwk()

    def ask(self, town: Town, *licences: str, number: str = ALICE) -> TestResponse:
        body = {"public_key": self.jwk, "licences": list(licences)}
        return town.post("/v1/device-credentials", body, town.person(number))

    def enrol(self, town: Town, *licences: str, number: str = ALICE) -> dict[str, Any]:
        answer = self.ask(town, *licences, number=number)
        assert answer.status_code == 201, answer.text
        self.credentials |= {item["licence"]: unb64u(item["credential"]) for item in answer.json["items"]}
        given: dict[str, Any] = answer.json
        return given

    def code(self, licence: str, *, ahead: float = 0, unit: str | None = None) -> str:
        """Return a code as the device makes it, its clock so many seconds ahead."""
        return device_code.sign(
            self.credentials[licence],
            at=datetime.now(UTC) + timedelta(seconds=ahead),
            nonce=secrets.token_bytes(device_code.NONCE_BYTES),
            signer=self.signer,
            audience=None if unit is None else device_code.audience_of(unit),
        )
