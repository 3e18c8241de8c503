"""The app developer's page (docs/quickstart-app.md): its commands and programs are run, its errors are met."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor
from tests.functional.running_demo import ROOT
from tests.identity import claims_of
from tests.ports import free_port

PAGE = (ROOT / "docs" / "quickstart-app.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
THEIRS, OURS = "http://127.0.0.1:8000", "127.0.0.1:4010"  # as the page has them
SECONDS = 60


def blocks(language: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def table(heading: str) -> list[list[str]]:
    rows = PAGE.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@dataclass
class Desk:
    """Where the developer sits: a folder with the city's FILE, his app's registration, and its running backend."""

    live: Live
    folder: Path
    app: str

    @property
    def known(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "demo-data/app.json").read_text("utf-8"))
        return found

    def authorize(self, **changes: str | None) -> requests.Response:
        asked = dict(parse_qsl(urlsplit(self.live.authorize_path(self.known, scope="openid")).query)) | changes
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return requests.get(f"{self.live.url}/oauth/authorize?{query}", allow_redirects=False, timeout=SECONDS)

    def redeem(self, secret: str) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43}
        form["redirect_uri"] = self.known["redirect_uris"][0]
        return requests.post(
            f"{self.live.url}/oauth/token", form, auth=(self.known["client_id"], secret), timeout=SECONDS
        )


def on_this_desk(text: str, live: Live, port: int) -> str:
    """Return a command of the page with the addresses and the Python of this run."""
    text = text.replace(THEIRS, live.url).replace(OURS, f"127.0.0.1:{port}")
    return text.replace(".venv/bin", str(Path(sys.executable).parent)).replace("examples/", f"{ROOT}/examples/")


@pytest.fixture(scope="module")
def desk(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Do what the page says up to the running backend."""
    if not shutil.which("curl"):
        pytest.skip("the page's commands need curl")
    folder, port = tmp_path_factory.mktemp("desk"), free_port()
    (folder / "demo-data").mkdir()
    (folder / "demo-data/demo.json").write_text(json.dumps(live.members), "utf-8")
    _make, registration, run = blocks("sh")
    script = on_this_desk(registration + "exec " + run, live, port)
    with (folder / "log").open("wb") as log:
        backend = subprocess.Popen(["sh", "-euc", script], cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/", backend, folder / "log")
        yield Desk(live, folder, f"http://127.0.0.1:{port}/")
    finally:
        backend.terminate()
        backend.wait(timeout=SECONDS)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            assert requests.get(url, timeout=SECONDS).status_code == 200
        except requests.ConnectionError:
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        else:
            return


def log_in(desk: Desk, visitor: Visitor, place: int, decision: str = "allow") -> str:
    """Log the agent of an organisation in to the app; return the organisation's name."""
    account, name = desk.live.agent(place)
    visitor.page.goto(desk.app)
    visitor.page.get_by_role("button", name="登录").click()
    visitor.fill_in_login(account)
    visitor.submit()
    visitor.page.get_by_label(name).check()
    visitor.submit()
    visitor.page.locator(f"button[name=decision][value={decision}]").click()
    visitor.page.wait_for_url(desk.app)
    return name


def press(visitor: Visitor, name: str) -> None:
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name=name).click()


def test_the_readme_s_commands_run(desk: Desk) -> None:
    first_call, operators = (on_this_desk(block, desk.live, 0) for block in blocks("sh", README))
    called = subprocess.run(["sh", "-euc", first_call], cwd=desk.folder, capture_output=True, text=True, check=True)
    assert json.loads(called.stdout)["ok"] is True
    operators = operators.replace("--app wsgi", f"--app {ROOT}/wsgi")
    told = subprocess.run(["sh", "-euc", operators], cwd=desk.folder, capture_output=True, text=True, check=True)
    for said in ("日志完整", "专用章", "Commands:"):
        assert said in told.stdout + told.stderr


def test_the_set_up_is_what_make_does() -> None:
    for line in blocks("sh")[0].splitlines():
        told = subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True)
        assert line != "make demo" or "flask --app wsgi demo --port 8000 --data demo-data" in told.stdout


def test_an_agent_is_logged_in_and_every_button_does_what_it_says(desk: Desk, visit: Visit) -> None:
    visitor = visit()
    shown = visitor.page.locator("body")
    name = log_in(desk, visitor, 12)
    expect(shown).to_contain_text(name)
    subjects = re.findall(r"sub (\S+)", shown.inner_text())
    assert len(set(subjects)) == 2
    press(visitor, "单位证照")
    expect(shown).to_contain_text("营业执照")
    press(visitor, "退出")
    id_token = parse_qs(urlsplit(visitor.page.url).query)["id_token_hint"][0]
    claims = claims_of(id_token)
    assert [claims["sub"], claims["act"]["sub"]] == subjects
    explained = {name for row in table("声明 Claim") for name in re.findall(r"`(\w+)", row[0])}
    assert explained <= claims.keys()
    visitor.submit()
    visitor.page.wait_for_url(f"{desk.app}?*")
    expect(visitor.page.get_by_role("button", name="登录")).to_be_visible()


def test_a_login_is_refreshed_and_withdrawn(desk: Desk, visit: Visit) -> None:
    visitor = visit()
    name = log_in(desk, visitor, 13)
    press(visitor, "刷新")
    press(visitor, "单位证照")
    expect(visitor.page.locator("body")).to_contain_text("营业执照")
    press(visitor, "撤回授权")
    press(visitor, "登录")
    visitor.page.get_by_label(name).check()
    visitor.submit()
    expect(visitor.page.locator("button[name=decision][value=allow]")).to_be_visible()  # he is asked again


def test_every_error_that_is_explained_is_met(desk: Desk, visit: Visit) -> None:
    visitor, live = visit(), desk.live
    log_in(desk, visitor, 14, decision="deny")
    denied = visitor.page.locator("p").first.inner_text().partition(":")[0]
    by = {"Authorization": f"Bearer {live.members['initial_access_token']}"}
    wanted = {"client_name": "x", "redirect_uris": ["http://app.example/cb"]}
    counter = live.client("counter")
    token = requests.post(
        f"{live.url}/oauth/token",
        {"grant_type": "client_credentials"},
        auth=(counter["client_id"], counter["client_secret"]),
        timeout=SECONDS,
    ).json()["access_token"]

    def licences(access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"{live.url}/v1/licences", headers=headers, timeout=SECONDS)

    poor = licences(token)
    assert 'scope="licences.read"' in poor.headers["WWW-Authenticate"]
    answers = [
        requests.post(f"{live.url}/oauth/register", json=wanted, headers=by, timeout=SECONDS),
        desk.authorize(redirect_uri=f"{desk.app}other"),
        desk.redeem("wrong"),
        desk.redeem(desk.known["client_secret"]),
        licences("x" * 40),
        poor,
    ]
    redirects = [
        desk.authorize(code_challenge=None),
        desk.authorize(scope="openid licences.issue"),
        desk.authorize(prompt="none"),
    ]
    met = {answer.json().get("code", answer.json().get("error")): str(answer.status_code) for answer in answers}
    for answer in redirects:
        met[parse_qs(urlsplit(answer.headers["Location"]).query)["error"][0]] = "callback"
    explained = {row[0].strip("`"): row[1].split()[-1] for row in table("代码 Code")}
    assert met | {denied: "callback"} == explained


def test_the_program_of_the_fapi2_profile_runs(desk: Desk, visit: Visit) -> None:
    (program,) = blocks("python")
    (desk.folder / "fapi2.py").write_text(program, "utf-8")
    account, name = desk.live.agent(15)
    visitor = visit()
    visitor.page.route("http://127.0.0.1:4004/**", lambda route: route.fulfill(body=""))  # nobody listens
    with subprocess.Popen(
        [sys.executable, "fapi2.py"], cwd=desk.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdin is not None
        assert running.stdout is not None
        visitor.page.goto(running.stdout.readline().split()[-1])
        visitor.fill_in_login(account)
        visitor.submit()
        visitor.page.get_by_label(name).check()
        visitor.submit()
        visitor.page.locator("button[name=decision][value=allow]").click()
        visitor.page.wait_for_url("http://127.0.0.1:4004/cb?*")
        said, _ = running.communicate(visitor.page.url + "\n", timeout=SECONDS)
    assert running.returncode == 0
    assert "营业执照" in said
    assert said.split()[-1] == "401"


def test_the_example_is_as_short_as_the_page_says() -> None:
    lines = (ROOT / "examples/app_backend.py").read_text("utf-8").splitlines()
    assert len(lines) < 80
