"""`flask demo` as a person and his programs meet it: ready, complete, hard to kill, the same again."""

import json
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jwskate import Jwk
from requests_oauth2client import OAuth2Client

from idservice.numbers import citizen, credit_code
from tests.databases import PostgresDatabases
from tests.functional.kill_while_issuing import Api, run
from tests.functional.running_demo import RunningDemo, flask, is_alive, kill, wait_until_gone
from tests.functional.test_fapi2_clients_of_others import Assertion
from tests.ports import free_port

SECONDS = 60  # what is over in a moment may take so long on two busy cores
FOLDER = "示范 city"  # a name that has to be quoted everywhere


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / FOLDER


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[RunningDemo]:
    with RunningDemo(folder, settings={"ONA_UNTHROTTLED_LOOPBACK": "1"}) as running:
        yield running


def test_it_is_ready_once_its_file_is_there(demo: RunningDemo) -> None:
    assert demo.status("/readyz") == 200
    assert demo.status("/") == 200
    for name in ("file.json", "city.json", "ona.db"):
        assert (demo.folder / name).stat().st_mode & 0o777 == 0o600


def test_file_has_the_shape_that_outsiders_rely_on(demo: RunningDemo) -> None:
    members = demo.members
    assert members["issuer"] == f"http://127.0.0.1:{demo.port}"
    assert members["resources"] == [f"http://127.0.0.1:{demo.port}/v1"]
    shapes = {
        "people": {"id_number", "name", "password", "totp_secret", "level", "licences"},
        "organisations": {"credit_code", "name", "agent_id_number", "licences"},
        "departments": {"credit_code", "name", "issues", "officer_id_number", "seal_id"},
        "clerks": {"id_number", "password", "totp_secret", "department", "counter"},
        "clients": {"name", "client_id", "auth_method", "grant_types", "scope", "profile"},
        "matters": {"code", "name", "proofs"},
    }
    for name, wanted in shapes.items():
        assert all(wanted <= entry.keys() and None not in entry.values() for entry in members[name]), name
    least = {"people": 200, "organisations": 40, "departments": 3, "clerks": 1, "clients": 5, "matters": 6}
    assert all(len(members[name]) >= number for name, number in least.items())
    assert len({code for department in members["departments"] for code in department["issues"]}) >= 12


def test_file_s_parts_fit_each_other(demo: RunningDemo) -> None:
    members = demo.members
    people = {person["id_number"] for person in members["people"]}
    departments = {department["credit_code"] for department in members["departments"]}
    assert all(map(citizen.is_valid, people))
    assert all(credit_code.is_valid(code) for code in departments)
    assert all(credit_code.is_valid(organisation["credit_code"]) for organisation in members["organisations"])
    assert {organisation["agent_id_number"] for organisation in members["organisations"]} <= people
    assert {department["officer_id_number"] for department in members["departments"]} <= people
    seconds = {of.get("second_officer_id_number") for of in members["departments"]} - {None}
    assert len(seconds) == 1
    assert seconds <= people
    assert {clerk["id_number"] for clerk in members["clerks"]} <= people
    assert {clerk["department"] for clerk in members["clerks"]} <= departments
    held = [code for holder in (*members["people"], *members["organisations"]) for code in holder["licences"]]
    assert len(held) == len(set(held)) > 600


def test_clients_state_how_they_are_used(demo: RunningDemo) -> None:
    clients = {client["name"]: client for client in demo.members["clients"]}
    assert clients["app-basic"]["auth_method"] == "client_secret_basic"
    assert clients["app-jwt"]["private_jwk"].keys() >= {"kty", "crv", "x", "y", "d", "kid"}
    assert clients["app-public"]["auth_method"] == "none"
    assert "client_secret" not in clients["app-public"]
    assert (clients["app-fapi"]["profile"], clients["app-fapi"]["auth_method"]) == ("fapi2", "private_key_jwt")
    for name in ("app-basic", "app-jwt", "app-public", "app-fapi"):
        assert clients[name]["redirect_uris"]
        assert clients[name]["post_logout_redirect_uris"]
    for name in ("counter", "issuer"):
        assert clients[name]["grant_types"] == ["client_credentials"]
        assert clients[name]["client_secret"]


def test_the_fapi_app_pushes_its_requests_with_the_key_of_the_file(demo: RunningDemo) -> None:
    app = next(client for client in demo.members["clients"] if client["name"] == "app-fapi")
    client = OAuth2Client(
        token_endpoint=f"{demo.members['issuer']}/oauth/token",
        pushed_authorization_request_endpoint=f"{demo.members['issuer']}/oauth/par",
        authorization_endpoint=f"{demo.members['issuer']}/oauth/authorize",
        redirect_uri=app["redirect_uris"][0],
        auth=Assertion(app["client_id"], Jwk(app["private_jwk"]), aud=demo.members["issuer"]),
        dpop_bound_access_tokens=True,
        testing=True,
    )
    pushed = client.pushed_authorization_request(client.authorization_request(scope="openid", dpop=True))
    assert pushed.request_uri.startswith("urn:ietf:params:oauth:request_uri:")


def test_anybody_registers_an_app_of_his_own(demo: RunningDemo) -> None:
    by = {"Authorization": f"Bearer {demo.members['initial_access_token']}", "Content-Type": "application/json"}
    wanted = {"client_name": "我的应用", "redirect_uris": ["http://127.0.0.1:4009/cb"]}
    asked = urllib.request.Request(f"{demo.members['issuer']}/oauth/register", json.dumps(wanted).encode(), by)
    with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
        known = json.load(answer)
    assert known["client_secret"]
    assert known["registration_client_uri"].startswith(demo.members["issuer"])


def test_the_printed_first_call_issues_and_verifies(demo: RunningDemo) -> None:
    if not (shutil.which("curl") and shutil.which("sed")):
        pytest.skip("the first call needs curl and sed")
    printed = demo.log.read_text("utf-8")
    script = printed[printed.index("member()") : printed.index("按 Ctrl-C")]
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, timeout=120)
    issued, verified = map(json.loads, done.stdout.replace("}{", "}\n{").splitlines())
    assert verified["ok"] is True
    assert verified["licence"]["identifier"] == issued["identifier"]


def test_the_printed_accounts_are_in_the_file(demo: RunningDemo) -> None:
    printed = demo.log.read_text("utf-8")
    accounts = {person["id_number"]: person["password"] for person in demo.members["people"]}
    shown = [number for number, password in accounts.items() if f"{number}  {password}" in printed]
    assert len(shown) == 5


@pytest.mark.parametrize("what", ["servers", "workers"])
def test_a_killed_process_is_replaced_while_the_other_answers(demo: RunningDemo, what: str) -> None:
    demo.wait_until(lambda: len(demo.workers()) == 2, SECONDS)
    victim, before = getattr(demo, what)()[0], demo.workers()
    kill(victim)
    demo.wait_until(lambda: demo.status("/healthz") == 200, SECONDS)
    demo.wait_until(lambda: len(set(demo.workers()) - {victim}) == 2 and demo.workers() != before, SECONDS)
    wait_until_gone({victim, *before} - {*demo.workers()})
    assert demo.status("/readyz") == 200


def test_no_licence_is_lost_or_doubled_when_workers_are_killed(demo: RunningDemo) -> None:
    counts = run(demo, keys=800)
    assert counts.kills >= 2
    assert counts.retries > 0
    assert (counts.acknowledged, counts.lost, counts.doubled, counts.changed_on_replay) == (800, 0, 0, 0)


def test_a_second_one_in_the_same_folder_or_on_the_same_port_is_refused(demo: RunningDemo, tmp_path: Path) -> None:
    same_folder = flask("demo", "--port", str(free_port()), "--data", str(demo.folder))
    assert (same_folder.returncode, demo.status("/readyz")) == (2, 200)
    assert "already" in same_folder.stderr
    same_port = flask("demo", "--port", str(demo.port), "--data", str(tmp_path / "other"))
    assert (same_port.returncode, demo.status("/readyz")) == (2, 200)
    assert str(demo.port) in same_port.stderr
    assert not (tmp_path / "other").exists()


def test_it_ends_in_order_and_starts_again_as_the_same_city(demo: RunningDemo) -> None:
    """The last test of this city: it ends the demonstration that the others use, and starts it twice on other ports."""
    first, old = demo.members, _credential(demo)
    demo.workers()
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(timeout=SECONDS) == 0
    assert not any(map(is_alive, demo.known))
    checked = flask("audit", "verify", "--json", settings=first["environment"], seconds=120)
    assert (checked.returncode, json.loads(checked.stdout)["ok"]) == (0, True), checked.stdout + checked.stderr

    with RunningDemo(demo.folder) as again:
        second = again.members
        moved = {"issuer", "resources", "environment", "paper_qr", "approvals_url"}  # what names the port
        assert second["issuer"] != first["issuer"]
        assert {name: second[name] for name in second.keys() - moved} == {
            name: first[name] for name in first.keys() - moved
        }
        assert _credential(again) == old
        for text in (old, first["people"][0]["licences"][0], *first["paper_qr"], *second["paper_qr"]):
            report = _verify(again, text)
            assert report["ok"] is True, report
        orphans = [*again.servers(), *again.workers()]
        again.process.kill()
        again.process.wait()
    wait_until_gone(orphans)


@pytest.mark.postgres
def test_on_postgresql_and_after_an_interruption(postgres: PostgresDatabases, tmp_path: Path) -> None:
    url = postgres.fresh()
    settings = {"ONA_DATABASE_URL": url}
    broken = RunningDemo(tmp_path / "city", settings=settings)
    broken.wait_until((tmp_path / "city" / "city.json").exists, SECONDS)
    broken.wait_until(lambda: '"built": false' in (tmp_path / "city" / "city.json").read_text(), SECONDS)
    broken.process.send_signal(signal.SIGINT)
    assert broken.process.wait(timeout=SECONDS) == 2
    with RunningDemo(tmp_path / "city", settings=settings) as running:
        assert running.status("/readyz") == 200
        assert running.members["environment"]["ONA_DATABASE_URL"] == url
        assert len({code for person in running.members["people"] for code in person["licences"]}) > 500
    postgres.drop(url)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"ONA_NO_SUCH": "1"}, "ONA_NO_SUCH"), ({"ONA_DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "unable to open")],
)
def test_what_cannot_work_is_said(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    done = flask("demo", "--port", str(free_port()), "--data", str(tmp_path / "city"), settings=settings)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_with_somebody_else_s_charter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "city.json").write_text('{"seed": 1}')
    done = flask("demo", "--port", str(free_port()), "--data", str(tmp_path))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "city.json" in done.stderr


def _credential(demo: RunningDemo) -> str:
    """The credential of the first person's first licence, as its issuer gets it."""
    return Api(demo).get(f"/v1/licences/{demo.members['people'][0]['licences'][0]}/credential.sd-jwt")


def _verify(demo: RunningDemo, text: str) -> dict[str, Any]:
    return Api(demo, name="counter", scope="verifications.create").post("/v1/verifications", {"text": text})
