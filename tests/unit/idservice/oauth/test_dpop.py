"""DPoP against the examples of RFC 9449, and its nonce."""

from datetime import UTC, datetime, timedelta

import pytest

from idservice.oauth import dpop
from idservice.oauth.dpop import NonceNeeded, ProofRefused

# RFC 9449 section 4.1 (a proof for the token endpoint) and section 7.1 (one for a resource).
HEAD = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRj"
    "QyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
TOKEN_PROOF = (
    f"{HEAD}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiw"
    "iaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RESOURCE_PROOF = (
    f"{HEAD}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN"
    "0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP"
    "35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"  # section 6.1
ACCESS_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
SECRET = bytes(32)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_examples_of_the_standard_hold_but_for_the_nonce() -> None:
    with pytest.raises(NonceNeeded):
        dpop.check(
            TOKEN_PROOF, method="POST", urls=["https://server.example.com/token"], now=at(1562262620), secrets=[SECRET]
        )
    with pytest.raises(NonceNeeded):
        dpop.check(
            RESOURCE_PROOF,
            method="GET",
            urls=["https://resource.example.org/protectedresource"],
            now=at(1562262620),
            secrets=[SECRET],
            access_token=ACCESS_TOKEN,
        )


def test_the_thumbprint_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpop, "nonce_holds", lambda *_: True)
    found = dpop.check(
        TOKEN_PROOF, method="POST", urls=["https://server.example.com/token"], now=at(1562262620), secrets=[SECRET]
    )
    assert found.key.claim == {"jkt": THUMBPRINT}
    assert found.key.text == f"jkt:{THUMBPRINT}"
    assert found.jti == "-BwC3ESc6acc2lTc"
    assert found.expires_at == at(1562262616 + 60)


WRONG = {
    "method": {"method": "PUT"},
    "address": {"urls": ["https://resource.example.org/other"]},
    "host": {"urls": ["https://resource.example.com/protectedresource"]},
    "port": {"urls": ["https://resource.example.org:444/protectedresource"]},
    "scheme": {"urls": ["http://resource.example.org/protectedresource"]},
    "no_address": {"urls": []},
    "token": {"access_token": ACCESS_TOKEN + "x"},
    "too_late": {"now": at(1562262618 + 61)},
    "too_early": {"now": at(1562262618 - 61)},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_an_example_used_for_anything_else_is_refused(changes: dict[str, object]) -> None:
    good = {
        "method": "GET",
        "urls": ["https://resource.example.org:443/protectedresource"],
        "now": at(1562262620),
        "secrets": [SECRET],
        "access_token": ACCESS_TOKEN,
    }
    with pytest.raises(NonceNeeded):
        dpop.check(RESOURCE_PROOF, **good)  # type: ignore[arg-type]
    with pytest.raises(ProofRefused) as refused:
        dpop.check(RESOURCE_PROOF, **(good | changes))  # type: ignore[arg-type]
    assert refused.value.code == "invalid_dpop_proof"


def test_an_altered_proof_is_refused_wherever_it_is_altered() -> None:
    for place in range(0, len(TOKEN_PROOF), 7):
        letter = "A" if TOKEN_PROOF[place] != "A" else "B"
        altered = TOKEN_PROOF[:place] + letter + TOKEN_PROOF[place + 1 :]
        with pytest.raises(ProofRefused) as refused:
            dpop.check(
                altered, method="POST", urls=["https://server.example.com/token"], now=at(1562262620), secrets=[SECRET]
            )
        assert refused.value.code == "invalid_dpop_proof"


def test_a_nonce_holds_for_one_to_two_turns_under_its_secret() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    given = dpop.nonce(SECRET, noon)
    turn = timedelta(seconds=dpop.NONCE_SECONDS)
    assert dpop.nonce_holds([SECRET], given, noon)
    assert dpop.nonce_holds([SECRET], given, noon + 2 * turn - timedelta(seconds=1))
    assert not dpop.nonce_holds([SECRET], given, noon + 2 * turn)
    assert not dpop.nonce_holds([SECRET], given, noon - timedelta(seconds=1)), "nobody makes proofs ahead"
    assert not dpop.nonce_holds([b"x" * 32], given, noon)
    assert dpop.nonce_holds([b"x" * 32, SECRET], given, noon), "its key was turned since"
    for other in (None, 5, "", given[:-1], given + "A", "é", [given]):
        assert not dpop.nonce_holds([SECRET], other, noon)
