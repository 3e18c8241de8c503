"""What the environment may say, and what is refused before anything starts."""

import dataclasses
import os
import random
from pathlib import Path

import pytest

from idservice.settings import Settings, SettingsError, from_environment, is_loopback, refuse_unsafe

HTTPS = Settings(issuer="https://id.example.gov.cn")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ONA_") and not name.startswith("ONA_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ONA_INSECURE_LOOPBACK", "1")


def test_every_value_is_read_with_its_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONA_ISSUER", "https://id.example.gov.cn")
    monkeypatch.setenv("ONA_KEYS_DIR", str(tmp_path))
    monkeypatch.setenv("ONA_READY_FILE", "ready")
    monkeypatch.setenv("ONA_SESSION_HOURS", "8")
    monkeypatch.setenv("ONA_LOG_JSON", "false")
    read = from_environment()
    assert (read.issuer, read.keys_dir, read.ready_file) == ("https://id.example.gov.cn", tmp_path, Path("ready"))
    assert (read.session_hours, read.log_json, read.redis_url) == (8, False, None)
    assert read.origin == read.signs_as == read.issuer
    assert dataclasses.replace(read, credential_issuer="https://old.example").signs_as == "https://old.example"


@pytest.mark.parametrize("name", ["ONA_ISUER", "ONA_", "ONA_issuer", "ONA_ISUER_FILE", "ONA_ISSUER_FILE_FILE"])
def test_an_unknown_name_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=f"unknown settings: {name}"):
        from_environment()


def test_names_of_the_test_suite_and_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONA_TEST_ANYTHING", "x")
    monkeypatch.setenv("XONA_ISSUER", "x")
    assert from_environment().issuer == "http://127.0.0.1:8000"


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("ONA_METRICS_TOKEN_FILE", str(tmp_path / "token"))
    assert from_environment().metrics_token == "s3cret"


def test_a_value_given_twice_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one")
    monkeypatch.setenv("ONA_METRICS_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("ONA_METRICS_TOKEN", "two")
    with pytest.raises(SettingsError, match="both as a value and as a file: ONA_METRICS_TOKEN"):
        from_environment()


@pytest.mark.parametrize("kind", ["missing", "directory", "not text"])
def test_a_file_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    path = {"missing": tmp_path / "no", "directory": tmp_path, "not text": tmp_path / "bytes"}[kind]
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    monkeypatch.setenv("ONA_METRICS_TOKEN_FILE", str(path))
    with pytest.raises(SettingsError):
        from_environment()


@pytest.mark.parametrize(("name", "value"), [("SESSION_HOURS", "many"), ("DEMO", "perhaps"), ("PROXY_HOPS", "1.5")])
def test_a_value_that_does_not_parse_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ONA_{name}", value)
    with pytest.raises(SettingsError, match=name):
        from_environment()


BAD_ISSUERS = [
    *("", "id.example", "//id.example", "ftp://id.example", "https://", "https://:443", "https:///x"),
    *("https://id.example/", "https://id.example/path", "https://id.example?", "https://id.example?a=b"),
    *("https://id.example#", "https://user@id.example", "https://@id.example", "https://u:p@id.example"),
    *("https://id.example:0", "https://id.example:99999", "https://id.example:", "https://[::1", "https://[xyz]"),
    *("https://ID.example", "HTTPS://id.example", " https://id.example", "https://id.example\n", "https://id ex"),
]


@pytest.mark.parametrize("issuer", BAD_ISSUERS)
def test_an_issuer_is_an_origin_and_nothing_else(issuer: str) -> None:
    with pytest.raises(SettingsError, match="ONA_ISSUER"):
        refuse_unsafe(Settings(issuer=issuer, insecure_loopback=True))
    if issuer:  # an empty one means "the same as the issuer"
        with pytest.raises(SettingsError, match="ONA_CREDENTIAL_ISSUER"):
            refuse_unsafe(dataclasses.replace(HTTPS, credential_issuer=issuer))


@pytest.mark.parametrize("issuer", ["https://id.example", "https://id.example:8443", "https://[2001:db8::1]:443"])
def test_good_issuers(issuer: str) -> None:
    refuse_unsafe(Settings(issuer=issuer))


UNSAFE: dict[str, tuple[dict[str, object], str]] = {
    "http_without_the_flag": ({"issuer": "http://127.0.0.1:8000"}, "ONA_INSECURE_LOOPBACK"),
    "http_off_loopback": ({"issuer": "http://192.0.2.1", "insecure_loopback": True}, "ONA_INSECURE_LOOPBACK"),
    "http_to_a_name": ({"issuer": "http://localhost.example", "insecure_loopback": True}, "ONA_INSECURE_LOOPBACK"),
    "demo_on_a_public_host": ({"demo": True}, "ONA_DEMO"),
    "unthrottled_on_a_public_host": ({"unthrottled_loopback": True}, "ONA_UNTHROTTLED_LOOPBACK"),
    "no_password_hash_at_all": ({"password_hashes_at_once": 0}, "ONA_PASSWORD_HASHES_AT_ONCE"),
    "show_code_for_long": ({"show_code_seconds": 61}, "ONA_SHOW_CODE_SECONDS"),
    "show_code_for_no_time": ({"show_code_seconds": 0}, "ONA_SHOW_CODE_SECONDS"),
    "session_for_ever": ({"session_hours": 25}, "ONA_SESSION_HOURS"),
    "session_never": ({"session_hours": 0}, "ONA_SESSION_HOURS"),
    "never_idle": ({"session_idle_minutes": 1441}, "ONA_SESSION_IDLE_MINUTES"),
    "hops_below_none": ({"proxy_hops": -1}, "ONA_PROXY_HOPS"),
    "certificates_without_proxy": (
        {"client_certificate_header": "Client-Cert"},
        "ONA_CLIENT_CERTIFICATE_HEADER",
    ),
    "certificate_header_malformed": (
        {"client_certificate_header": "Client Cert", "proxy_hops": 1},
        "ONA_CLIENT_CERTIFICATE_HEADER",
    ),
    "mtls_without_certificates": ({"mtls_origin": "https://mtls.example.gov.cn"}, "ONA_MTLS_ORIGIN"),
    "mtls_without_tls": (
        {"mtls_origin": "http://m.example", "client_certificate_header": "Client-Cert", "proxy_hops": 1},
        "ONA_MTLS_ORIGIN",
    ),
    "mtls_with_a_path": (
        {"mtls_origin": "https://m.example/x", "client_certificate_header": "Client-Cert", "proxy_hops": 1},
        "ONA_MTLS_ORIGIN",
    ),
    "log_level_of_no_kind": ({"log_level": "chatty"}, "ONA_LOG_LEVEL"),
    "redis_of_no_kind": ({"redis_url": "memcached://127.0.0.1"}, "ONA_REDIS_URL"),
}


@pytest.mark.parametrize(("changes", "named"), UNSAFE.values(), ids=UNSAFE)
def test_what_would_be_unsafe_is_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        refuse_unsafe(dataclasses.replace(HTTPS, **changes))  # type: ignore[arg-type]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        refuse_unsafe(dataclasses.replace(HTTPS, demo=True, show_code_seconds=0, log_level="x"))
    assert all(name in str(refused.value) for name in ("ONA_DEMO", "ONA_SHOW_CODE_SECONDS", "ONA_LOG_LEVEL"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "", "0.0.0.0", "10.0.0.1", "localhost.", "127.0.0.1.evil", "127.1", "::2"])
def test_not_loopback(host: str | None) -> None:
    assert not is_loopback(host)


def test_mutants_of_an_issuer_are_taken_or_refused_clearly() -> None:
    chance, good = random.Random(41), "https://id.example:8443"
    for _ in range(2000):
        mutant = list(good)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(mutant))
            mutant[place : place + 1] = chance.choice(["", ":", "/", "@", "[", "]", "é", "\0", "%", "9", "?", "\\"])
        try:
            refuse_unsafe(Settings(issuer="".join(mutant)))
        except SettingsError:
            continue
        assert not set("".join(mutant)[8:]) & set("/@é\0%?\\")
