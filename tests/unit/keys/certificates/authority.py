"""A made-up certificate authority for these tests: fresh keys, few lines a certificate."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime

from keys import sm2
from keys.certificates import Certificate, KeyUsage, issue, parse

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2034, 1, 1, tzinfo=UTC)
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIGNS = (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION)
CERTIFIES = (KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN)

_serials = itertools.count(1000)


@dataclass(frozen=True)
class Party:
    certificate: Certificate
    private: bytes

    def issues(self, name: str, **facts: object) -> "Party":
        """Return a party certified by this one; a signer unless `facts` say otherwise."""
        return certify(name, self, **facts)


def certify(name: str, by: Party | None = None, *, keys: tuple[bytes, bytes] | None = None, **facts: object) -> Party:
    private, public = keys or sm2.generate()
    stated = {
        "subject": [("C", "CN"), ("O", "示例市（演示数据）"), ("CN", name)],
        "serial": next(_serials),
        "not_before": BEGIN,
        "not_after": END,
        "ca": False,
        "key_usage": SIGNS,
        **facts,
    }
    der = issue(
        public_key=public,
        issuer=by.certificate if by else None,
        sign=lambda data: sm2.sign(by.private if by else private, data),
        **stated,  # type: ignore[arg-type]
    )
    return Party(parse(der), private)


def root(name: str = "演示根", **facts: object) -> Party:
    return certify(name, ca=True, key_usage=CERTIFIES, **facts)
