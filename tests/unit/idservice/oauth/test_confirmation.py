import base64
import hashlib

from idservice.oauth import mtls
from idservice.oauth.confirmation import DPOP, TLS, Key, claim_of


def test_a_row_and_a_claim_say_the_same() -> None:
    for method, token_type in ((DPOP, "DPoP"), (TLS, "Bearer")):
        key = Key(method, "A" * 43)
        assert claim_of(key.text) == key.claim == {method: "A" * 43}
        assert key.token_type == token_type
        assert len(key.text) <= 64, "the column is that wide"


def test_a_certificate_is_known_by_the_hash_of_its_bytes() -> None:
    expected = base64.urlsafe_b64encode(hashlib.sha256(b"der").digest()).rstrip(b"=").decode()
    assert mtls.key_of(b"der").claim == {"x5t#S256": expected}
