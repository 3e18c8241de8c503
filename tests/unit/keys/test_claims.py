from datetime import UTC, datetime, timedelta

import pytest

from keys import claims
from keys.jws import JWSError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = int(NOW.timestamp())
GOOD = {"iss": "https://id.example", "aud": "https://api.example", "exp": T + 300, "iat": T, "nbf": T}


def check(payload, now=NOW, **how):
    claims.check(payload, issuer="https://id.example", audience="https://api.example", now=now, **how)


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    "payload",
    [GOOD, GOOD | {"aud": ["x", "https://api.example"]}, without("iat"), without("nbf"), GOOD | {"exp": T + 0.5}],
    ids=["all", "audience_list", "no_iat", "no_nbf", "fraction"],
)
def test_holds(payload):
    check(payload)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (without("iss"), "issuer"),
        (GOOD | {"iss": "https://id.example/"}, "issuer"),
        (GOOD | {"iss": ["https://id.example"]}, "issuer"),
        (without("aud"), "audience"),
        (GOOD | {"aud": "https://api.example.evil"}, "audience"),
        (GOOD | {"aud": []}, "audience"),
        (GOOD | {"aud": {"https://api.example": 1}}, "audience"),
        (GOOD | {"aud": [["https://api.example"]]}, "audience"),
        (GOOD | {"aud": "x https://api.example"}, "audience"),
        (without("exp"), "bad_claim"),
        (GOOD | {"exp": str(T + 300)}, "bad_claim"),
        (GOOD | {"exp": True}, "bad_claim"),
        (GOOD | {"exp": None}, "bad_claim"),
        (GOOD | {"iat": None}, "bad_claim"),
        (GOOD | {"exp": T}, "expired"),
        (GOOD | {"exp": -1}, "expired"),
        (GOOD | {"iat": T + 11}, "not_yet_valid"),
        (GOOD | {"nbf": T + 11}, "not_yet_valid"),
    ],
)
def test_refused(payload, code):
    with pytest.raises(JWSError) as error:
        check(payload)
    assert error.value.code == code


def test_expiry_is_exact_and_leeway_is_for_clocks_ahead():
    check(GOOD, now=NOW + timedelta(seconds=299.9))
    with pytest.raises(JWSError, match="expired"):
        check(GOOD, now=NOW + timedelta(seconds=300), leeway=60)
    check(GOOD, now=NOW - timedelta(seconds=10))
    with pytest.raises(JWSError, match="not_yet_valid"):
        check(GOOD, now=NOW - timedelta(seconds=1), leeway=0)


def test_lifetime_bound():
    check(GOOD, max_lifetime=300)
    check(without("iat") | {"exp": T + 310}, max_lifetime=300)
    for payload in (without("iat") | {"exp": T + 311}, GOOD | {"exp": T + 301}, GOOD | {"iat": T - 1}):
        with pytest.raises(JWSError, match="lifetime"):
            check(payload, max_lifetime=300)


def test_sole_audience():
    check(GOOD, sole_audience=True)
    with pytest.raises(JWSError, match="audience"):
        check(GOOD | {"aud": ["https://api.example"]}, sole_audience=True)
