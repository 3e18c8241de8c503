import re

from idservice.oauth.clients import is_identifier
from idservice.oauth.subjects import pairwise

SECRET = bytes(range(32))


def test_a_subject_is_stable_and_differs_by_sector_person_and_secret() -> None:
    assert pairwise(SECRET, "client:a", "p") == "5jeEVKQkv_mrFOEC_sXznA1j-L0jyi-3oo3rR8QRiL0"
    found = {pairwise(s, c, p) for s in (SECRET, b"x" * 32) for c in ("client:a", "sector:a") for p in ("p", "q")}
    assert len(found) == 8


def test_a_subject_can_never_be_a_client_identifier() -> None:
    subject = pairwise(SECRET, "client:a", "p")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", subject)
    assert not is_identifier("a" * len(subject))
