"""A made-up P-256 party with a self-signed certificate, or one by another of its kind."""

import itertools
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.certificates import Certificate, KeyUsage, issue, parse, to_pem

_serials = itertools.count(5000)


class P256:
    def __init__(
        self, name: str, by: "P256 | None" = None, *, ca: bool = False, extended_usage: tuple[str, ...] = ()
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        der = issue(
            subject=[("C", "CN"), ("O", "示例市（演示数据）"), ("CN", name)],
            public_key=self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
            key_algorithm="P-256",
            issuer=by.certificate if by else None,
            sign=by.sign if by else self.sign,
            serial=next(_serials),
            not_before=datetime(2024, 1, 1, tzinfo=UTC),
            not_after=datetime(2044, 1, 1, tzinfo=UTC),
            ca=ca,
            key_usage=(KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN) if ca else (KeyUsage.DIGITAL_SIGNATURE,),
            extended_usage=extended_usage,
        )
        self.certificate: Certificate = parse(der)

    @property
    def pem(self) -> str:
        return to_pem(self.certificate.der)

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
