import os
from pathlib import Path

import pytest

from idservice import settings
from licences.demo.place import Place, PlaceTakenError

ISSUER, FIRST = "http://127.0.0.1:8123", "http://127.0.0.1:8000"


def environment(place: Place, given: dict[str, str]) -> dict[str, str]:
    return place.environment(given, issuer=ISSUER, credential_issuer=FIRST, ready_file=place.folder / "demo.json")


def read(monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str]) -> settings.Settings:
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    return settings.from_environment()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(settings.PREFIX) and not name.startswith(settings.TEST_PREFIX):
            monkeypatch.delenv(name)


def test_without_any_settings_everything_lies_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = read(monkeypatch, environment(Place(tmp_path), {"PATH": "/bin", "ONA_TEST_DATABASE_URL": "x"}))
    assert chosen.issuer == ISSUER
    assert chosen.signs_as == FIRST
    assert chosen.database_url == f"sqlite:///{tmp_path}/ona.db"
    assert chosen.keys_dir == tmp_path / "keys"
    assert chosen.ready_file == tmp_path / "demo.json"
    assert chosen.sms_sender == f"file:{tmp_path}/sms.jsonl"
    assert chosen.demo
    assert chosen.insecure_loopback
    assert not chosen.unthrottled_loopback


def test_database_redis_and_limits_of_the_environment_are_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "ONA_DATABASE_URL": "postgresql+psycopg://a:b@h/d",
        "ONA_REDIS_URL": "redis://127.0.0.1/3",
        "ONA_UNTHROTTLED_LOOPBACK": "1",
        "ONA_LOG_LEVEL": "INFO",
    }
    chosen = read(monkeypatch, environment(Place(tmp_path), given))
    assert (chosen.database_url, chosen.redis_url) == (given["ONA_DATABASE_URL"], given["ONA_REDIS_URL"])
    assert chosen.unthrottled_loopback
    assert chosen.log_level == "INFO"


def test_a_setting_given_as_a_file_is_not_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("sqlite:////somewhere/else.db\n")
    chosen = read(monkeypatch, environment(Place(tmp_path), {"ONA_DATABASE_URL_FILE": str(tmp_path / "url")}))
    assert chosen.database_url == "sqlite:////somewhere/else.db"


@pytest.mark.parametrize("name", ["ONA_ISSUER", "ONA_ISSUER_FILE", "ONA_KEYS_DIR", "ONA_KEYS_DIR_FILE", "ONA_DEMO"])
def test_what_another_service_here_was_set_to_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    chosen = read(monkeypatch, environment(Place(tmp_path), {name: "https://id.example.cn"}))
    assert chosen.issuer == ISSUER
    assert chosen.keys_dir == tmp_path / "keys"


def test_a_misspelt_setting_is_still_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(settings.SettingsError, match="ONA_DATABSE_URL"):
        read(monkeypatch, environment(Place(tmp_path), {"ONA_DATABSE_URL": "x"}))


def test_a_folder_is_locked_for_one_and_for_its_owner(tmp_path: Path) -> None:
    place = Place(tmp_path / "a" / "b")
    with place.lock(), pytest.raises(PlaceTakenError):
        place.lock()
    place.lock().close()
    assert place.folder.stat().st_mode & 0o777 == 0o700
