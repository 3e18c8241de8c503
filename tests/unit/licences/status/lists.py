"""Signed lists, made up, for the tests of lists, bundle and offline verification."""

from collections.abc import Collection

from keys.signer import Algorithm, generate_private, load_private
from licences.status.edition import Edition, name_of

ISSUER = "https://id.example"
SIGNER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
SIGNED_AT = 1_790_000_000
ENTRIES = [(0, 1), (1, 2), (4, 1), (5, 2), (1_048_575, 1)]


def edition(entries: Collection[tuple[int, int]] = ENTRIES, *, number: int = 0, moment: int = SIGNED_AT) -> Edition:
    return Edition(ISSUER, number, entries, moment)


def token(entries: Collection[tuple[int, int]] = ENTRIES, *, number: int = 0, moment: int = SIGNED_AT) -> str:
    made = edition(entries, number=number, moment=moment).tokens(SIGNER)
    return made[name_of(number, "jwt")].decode("ascii")
