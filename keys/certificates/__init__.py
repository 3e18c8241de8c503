"""X.509 certificates (数字证书) with SM2 keys: read, issue, and trace to a trusted root.

GB/T 20518-2018 (certificate format), RFC 5280 (profile and path validation), GB/T 32918 and GM/T 0009 (SM2).
`cryptography` refuses the SM2 curve and some encodings that real Chinese certificates use, so certificates are
read here; P-256, P-384 and RSA signatures are still verified by `cryptography`.

    leaf = parse(der)
    report = verify_path(leaf, intermediates, anchors, at=signed_at, now=now)
    report.result, report.reasons
    judge_revocation(report.path, lists, at=signed_at, now=now)
"""

from keys.certificates.certificate import Certificate, CertificateError, parse, parse_pem, to_pem
from keys.certificates.crl import RevocationList, read_lists
from keys.certificates.extensions import KeyUsage
from keys.certificates.issue import issue
from keys.certificates.path import PathReport, Purpose, verify_path
from keys.certificates.revocation import judge_revocation
from keys.certificates.signature import der_signing, is_signed_by, verify_signature

__all__ = [
    "Certificate",
    "CertificateError",
    "KeyUsage",
    "PathReport",
    "Purpose",
    "RevocationList",
    "der_signing",
    "is_signed_by",
    "issue",
    "judge_revocation",
    "parse",
    "parse_pem",
    "read_lists",
    "to_pem",
    "verify_path",
    "verify_signature",
]
