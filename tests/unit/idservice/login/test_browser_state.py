import hashlib

from idservice.login.browser_state import of_session, session_state

SESSION, OTHER = bytes(32), bytes(31) + b"\1"


def test_the_session_state_is_what_section_3_2_computes() -> None:
    found = session_state("app", "https://app.example:8443/cb?x=1", SESSION)
    assert found is not None
    digest, salt = found.split(".")
    text = f"app https://app.example:8443 {of_session(SESSION)} {salt}"
    assert digest == hashlib.sha256(text.encode()).hexdigest()


def test_it_differs_by_session_and_by_salt() -> None:
    states = {session_state("app", "https://app.example/cb", session) for session in (SESSION, SESSION, OTHER)}
    assert len(states) == 3
    assert of_session(SESSION) != of_session(OTHER)


def test_an_app_without_an_origin_gets_none() -> None:
    assert session_state("app", "com.example.app:/cb", SESSION) is None


def test_the_state_tells_nothing_of_the_session() -> None:
    assert SESSION.hex() not in of_session(SESSION)
