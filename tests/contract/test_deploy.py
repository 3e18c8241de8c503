"""The deployment files are text that nobody runs here: what they name must at least exist."""

import configparser
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import REGISTRY

import wsgi
from idservice.http.metrics import Waiting
from idservice.settings import PREFIX, Settings
from licences.guard.alarms import Kind

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = {PREFIX + field.name.upper() for field in fields(Settings)}
OF_THE_PROXY = {"ONA_HOST", "ONA_UPSTREAM"}  # read by the proxy and by compose, never by the service


@pytest.mark.parametrize("name", ["environment.example", "Dockerfile", "compose.yaml", "Caddyfile"])
def test_settings_named_exist(name: str) -> None:
    named = set(re.findall(r"\bONA_[A-Z0-9_]+", (DEPLOY / name).read_text("utf-8"))) - {"ONA_"}
    assert named
    unknown = {name for name in named if not {name, name.removesuffix("_FILE")} & SETTINGS}
    assert unknown - OF_THE_PROXY == set()


def test_dockerfile_copies_what_exists_and_what_its_ignore_file_lets_in() -> None:
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    sources = {source.rstrip("/") for line in copied for source in line.split()}
    allowed = set(re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8"), re.MULTILINE))
    assert sources == allowed
    assert {source for source in sources if not (ROOT / source).exists()} == set()


def test_compose_services_run_as_they_say() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    assert (DEPLOY / compose["x-service"]["build"]["context"] / compose["x-service"]["build"]["dockerfile"]).is_file()
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
        assert set(service["networks"]) <= set(compose["networks"]), name
    for name in ("web", "migrate"):
        assert services[name]["read_only"], name
        assert services[name]["cap_drop"] == ["ALL"], name
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]


def test_the_alert_rules_watch_metrics_that_there_are_from_the_start() -> None:
    """A series that begins with its first alarm never increases, so the first of a kind would be missed."""
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"ona_\w+", rule["expr"])}
    samples = {(one.name, one.labels.get("kind")) for family in REGISTRY.collect() for one in family.samples}
    waiting = Waiting.NAME  # asked of the database at every look, so that it is there from the start
    assert named == {"ona_guard_alarms_total", waiting}
    assert {kind for name, kind in samples if name in named} == {str(kind) for kind in Kind}
    (rule,) = [rule for rule in rules if waiting in rule["expr"]]
    assert f"absent({waiting})" in rule["expr"], "while the database cannot be asked it is missing"


def test_every_server_named_is_given_the_application_for_servers() -> None:
    named = [target for path in DEPLOY.iterdir() for target in re.findall(r"wsgi:(\w+)", path.read_text("utf-8"))]
    assert len(named) >= 5
    assert set(named) == {wsgi.create_server_app.__name__}


def test_the_unit_starts_the_application_with_little_power() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "one-number-access.service", "utf-8")
    service = unit["Service"]
    assert service["ExecStart"].endswith(f" wsgi:{wsgi.create_server_app.__name__}")
    assert service["User"] != "root"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
