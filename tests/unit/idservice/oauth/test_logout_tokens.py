from idservice.oauth.logout_tokens import EVENT, payload, session_name

FACTS = {"jti": "j", "sub": "s", "sid": "n"}


def test_the_claims_are_those_of_section_2_4_and_no_other() -> None:
    assert payload("https://id.example", "app", FACTS, issued=1000) == {
        "iss": "https://id.example", "aud": "app", "iat": 1000, "exp": 1120, "jti": "j", "sub": "s", "sid": "n",
        "events": {EVENT: {}},
    }  # fmt: skip


def test_each_app_knows_a_session_by_another_name() -> None:
    names = {session_name(b"k" * 32, client, chain) for client in ("a", "b") for chain in (b"1", b"2")}
    assert len(names) == 4
    assert session_name(b"k" * 32, "a", b"1") in names
    assert session_name(b"l" * 32, "a", b"1") not in names
