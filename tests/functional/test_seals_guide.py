"""The step by step guide for departments: every command in it is run, every answer it explains is one that is given."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from idservice.call import Call
from idservice.errors import KINDS
from idservice.login.password import set_password
from idservice.oauth import clients
from idservice.register import mandates, organisations, people
from seals.lifecycle import State
from tests.builders import act, migrate
from tests.databases import SqliteDatabases
from tests.identity import ALICE, CALLBACK, COMPANY, PASSWORD, SECRET, Browser, Flow, answer_of, redeem
from tests.sealing import DEPARTMENT, OTHER, Office, build_office, post_form
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "seals-guide.md").read_text("utf-8")
COMPANY_NAME = "滨州示范食品有限公司"
ANSWERS = {"APPLIED": "applied.json", "CONTRACT_SEAL": "contract-seal.json", "NAME_SEAL": "name-seal.json"}
HALVES = dict(zip(("zh", "en"), GUIDE.split("# Electronic seals, step by step"), strict=True))


def commands(half: str) -> list[str]:
    return [line for block in re.findall(r"```sh\n(.*?)```", half, re.DOTALL) for line in block.splitlines()]


def explained(half: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", "\n".join(line for line in half.splitlines() if line.startswith("|"))))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office whose working directory holds what the guide's reader has."""
    built = build_office(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), seal_office=DEPARTMENT)
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "letter.txt").write_text("关于演示的函", "utf-8")
    (folder / "letter.ofd").write_bytes(pack(document_files()))
    (folder / "contract.ofd").write_bytes(pack(document_files()))
    (folder / "root.pem").write_text(built.root_pem(), "utf-8")
    monkeypatch.chdir(folder)
    yield built
    built.house.database.engine.dispose()


def test_both_halves_say_the_same() -> None:
    assert commands(HALVES["zh"]) == commands(HALVES["en"])
    assert explained(HALVES["zh"]) == explained(HALVES["en"])


def test_the_commands_do_what_the_guide_says(office: Office) -> None:
    words = {
        "ISSUER": "", "TOKEN": office.token()["Authorization"].removeprefix("Bearer "), "SEAL": office.seal_id,
        "DEPARTMENT": DEPARTMENT, "OTHER_DEPARTMENT": OTHER, "COMPANY_TOKEN": company_token(office),
    }  # fmt: skip
    for line in commands(HALVES["zh"]):
        for word, answer in ANSWERS.items():
            if f"${word}" in line:
                words[word] = json.loads(Path(answer).read_text("utf-8"))["id"]
        run(office, shlex.split(re.sub(r"\$([A-Z_]+)", lambda match: words[match[1]], line)))
    assert json.loads(Path("answer.json").read_text("utf-8"))["result"]["data"]
    twice = office.by_api(Path("contract.sealed.ofd").read_bytes())
    assert [one["seal"]["name"] for one in twice["signatures"]] == [f"{COMPANY_NAME}合同专用章", "王小明法定代表人名章"]
    assert twice["ok"] is True
    assert json.loads(Path("report.json").read_text("utf-8"))["ok"] is True
    assert sorted(path.name for path in Path("sealed").iterdir()) == ["letter.sealed.ofd", "letter.txt.ses"]


def test_every_state_and_every_reason_is_explained() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "seals").glob("*.py"))
    reasons = {name.lower() for name in re.findall(r"\bReason\.([A-Z_]+)", sources)}
    assert (reasons | {str(state) for state in State}) - explained(HALVES["zh"]) == set()


def test_every_refusal_that_is_explained_exists() -> None:
    refusals = set(re.findall(r"^\| `((?:seal|document)_[a-z_]+)`", HALVES["zh"], re.MULTILINE))
    assert len(refusals) >= 6
    assert {name for name in refusals if name not in KINDS} <= {"document_altered", "seal_invalid"}


def company_token(office: Office) -> str:
    """Return the token that a legal representative gets who logs in with two factors and acts for his company."""
    from tests.factors import TWO_FACTOR, give_app, now_code

    def enrol(call: Call) -> tuple[str, str]:
        person = people.enrol(call, number=ALICE, name="王小明", level=3)
        company = organisations.enrol(call, code=COMPANY, name=COMPANY_NAME)
        set_password(call, person, PASSWORD)
        clients.register(
            call, client_id="erp", name="企业系统", unit=COMPANY_NAME, auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid seals.use", redirect_uris=[CALLBACK],
        )  # fmt: skip
        return person, mandates.grant(call, person=person, principal=company, role="legal_representative")

    person, mandate = act(office.house, enrol)
    app = give_app(office, person)  # type: ignore[arg-type]
    browser, flow = Browser(office.app), Flow("erp", "openid seals.use")
    page = browser.log_in(browser.open(flow.url(acr_values=TWO_FACTOR)))
    page = browser.submit(page, code=now_code(app))
    page = browser.submit(page, acting=mandate)
    answer = answer_of(browser.submit(page, decision="allow"))
    token: str = redeem(office.app, flow, answer["code"]).json["access_token"]
    return token


def run(office: Office, words: list[str]) -> None:
    if words[0] == "flask":
        done = office.app.test_cli_runner().invoke(args=words[1:])
        assert done.exit_code == 0, (words, done.output)
    elif words[0] == "python":
        script = [
            sys.executable,
            *([] if words[1] == "-c" else [str(ROOT / words[1])]),
            *words[1 + (words[1] != "-c") :],
        ]
        subprocess.run(script, check=True, capture_output=True, timeout=60)
    else:
        answer = curl(office, words)
        assert answer.status_code in {200, 201}, (words, answer.text)


def curl(office: Office, words: list[str]) -> TestResponse:
    """Do what curl does with the options that the guide uses."""
    assert words[:2] == ["curl", "-sS"]
    given: dict[str, list[str]] = {"-X": [], "-H": [], "-F": [], "-d": [], "-o": [], "": []}
    rest = iter(words[2:])
    for word in rest:
        given[word if word in given else ""].append(next(rest) if word in given else word)
    client, (where,) = office.app.test_client(), given[""]
    headers = dict(header.split(": ", 1) for header in given["-H"])
    if given["-F"]:
        form = dict(part.split("=", 1) for part in given["-F"])
        body = {name: Path(value[1:]).read_bytes() if value[0] == "@" else value for name, value in form.items()}
        answer = post_form(client, where, body, headers=headers)
    else:
        method = given["-X"][0] if given["-X"] else "GET"
        answer = client.open(where, method=method, data="".join(given["-d"]) or None, headers=headers)
    for target in given["-o"]:
        Path(target).write_bytes(answer.data)
    return answer
