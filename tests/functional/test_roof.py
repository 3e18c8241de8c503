"""The application without settings or keys: it does not start, and under `flask` it still has its commands."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.running_demo import ROOT, command_environment, flask

LOOPBACK = {"ONA_INSECURE_LOOPBACK": "1"}


def python(program: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-c", program]
    environment = command_environment(settings)
    return subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("settings", "said"), [({}, "ONA_INSECURE_LOOPBACK"), (LOOPBACK | {"ONA_KEYS_DIR": "no/such"}, "flask keys new")]
)
def test_a_server_without_settings_or_keys_does_not_start(settings: dict[str, str], said: str) -> None:
    done = python("import wsgi; wsgi.create_app()", settings)
    assert done.returncode != 0
    assert said in done.stderr


def test_the_commands_that_make_keys_and_schema_need_neither(tmp_path: Path) -> None:
    settings = LOOPBACK | {
        "ONA_KEYS_DIR": str(tmp_path / "keys"),
        "ONA_DATABASE_URL": f"sqlite:///{tmp_path}/ona.db",
    }
    for arguments in (("keys", "new"), ("db", "upgrade"), ("keys", "list")):
        done = flask(*arguments, settings=settings)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "ona.db").exists()


def test_an_application_without_keys_fails_every_request() -> None:
    ask = (
        "import wsgi; app = wsgi.create_app(); print([app.test_client().get(p).status_code for p in ('/', '/healthz')])"
    )
    done = python(ask, {"FLASK_RUN_FROM_CLI": "true"})
    assert done.stdout.strip() == "[500, 500]", done.stderr


def test_a_server_s_application_stays_out_of_the_collector_s_way(tmp_path: Path) -> None:
    settings = LOOPBACK | {"ONA_KEYS_DIR": str(tmp_path / "keys"), "ONA_DATABASE_URL": "sqlite://"}
    assert flask("keys", "new", settings=settings).returncode == 0
    ask = (
        "import gc, wsgi; before = gc.get_freeze_count(); app = wsgi.create_server_app();"
        "print(before, gc.get_freeze_count() > 10_000, app.test_client().get('/healthz').status_code)"
    )
    done = python(ask, settings)
    assert done.stdout.strip() == "0 True 200", done.stderr
