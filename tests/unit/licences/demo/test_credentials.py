import re
from dataclasses import replace
from datetime import date

from idservice.login.password import MIN_CHARACTERS
from keys.base64url import unb64u
from keys.jwk import parse
from licences.demo import credentials
from licences.demo.charter import Charter

FOUNDED = Charter(7, date(2026, 11, 22), bytes(range(32)), "http://127.0.0.1:8000", built=False)
OTHER = replace(FOUNDED, root=bytes(32))


def test_each_person_of_each_city_has_a_password_of_his_own() -> None:
    passwords = {credentials.password(founded, number) for founded in (FOUNDED, OTHER) for number in ("1", "2")}
    assert len(passwords) == 4
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){2}", password) for password in passwords)
    assert all(len(password) >= MIN_CHARACTERS for password in passwords)


def test_the_same_city_gives_the_same_again() -> None:
    assert credentials.password(FOUNDED, "1") == credentials.password(replace(FOUNDED, built=True), "1")
    assert credentials.private_jwk(FOUNDED, "app") == credentials.private_jwk(FOUNDED, "app")


def test_client_secrets_are_random_looking_and_long() -> None:
    secrets = {credentials.client_secret(founded, name) for founded in (FOUNDED, OTHER) for name in ("a", "b")}
    assert len(secrets) == 4
    assert all(len(unb64u(secret)) == 32 for secret in secrets)


def test_a_client_key_is_a_key_and_its_public_part_shows_nothing_private() -> None:
    private = credentials.private_jwk(FOUNDED, "app-jwt")
    public = credentials.public_jwk(private)
    assert "d" in private
    assert "d" not in public
    assert parse(public).kid == private["kid"]
    assert private != credentials.private_jwk(FOUNDED, "another")
    assert private != credentials.private_jwk(OTHER, "app-jwt")
