"""A day in the demonstration city: five scenes, a thousand marked citizens, and then nothing personal in the clear.

Whatever the scenes and the crowd leave behind is searched as raw bytes: the database's files and its write-ahead log,
everything that was logged (at DEBUG), Redis, and every address that was opened or linked to.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from idservice.numbers import citizen
from idservice.numbers.names import mask_name
from tests.functional.running_demo import ROOT, RunningDemo, flask

SCENES = sorted(path.stem for path in (ROOT / "examples" / "scenes").glob("*.py") if path.stem != "city")
CROWD = 1_000
WALKING = 12
SECONDS = 60  # how long an answer may take on two busy cores
QUALIFICATION = "vocational_qualification"
BY_LAW = ("DM-M-034", "SHJZ-58")

#: What marks a citizen of the crowd: a district where nobody else lives, two characters that nobody else is named with
#: (or the first of them, masked), and numbers of a telephone network that nobody else uses. None is so short that it
#: would stand by chance among encrypted bytes, as `1009` and seven digits once did.
MARKS = re.compile(
    b"|".join(
        (
            rb"37998819[0-9]{9}[0-9Xx]",
            rb"10090000[0-9]{3}",
            "龘".encode() + b"(" + "靐".encode() + rb"|\*\*)",
            rb"\\u9f98(\\u9750|\*\*)",
            rb"%E9%BE%98(%E9%9D%90|\*\*|%2A%2A)",
        )
    ),
    re.IGNORECASE,
)
#: Identifiers, hashes and keys in hexadecimal, by their lengths: among millions of such digits any few stand somewhere.
AT_RANDOM = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-f])", re.IGNORECASE)


class Crowd:
    """A thousand people who do not exist."""

    def __init__(self) -> None:
        bodies = (f"379988{1950 + place % 50}{1 + place % 12:02d}15{place:03d}" for place in range(CROWD))
        self.numbers = [body + citizen.check_character(body) for body in bodies]
        self.names = [f"龘靐{chr(0x4E00 + place)}" for place in range(CROWD)]
        self.phones = [f"1009{place:07d}" for place in range(CROWD)]

    def people(self) -> Iterator[dict[str, Any]]:
        for number, name, phone in zip(self.numbers, self.names, self.phones, strict=True):
            yield {"number": number, "name": name, "phone": phone, "level": 3}


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture(scope="module")
def redis_url(request: pytest.FixtureRequest) -> str | None:
    """The city's Redis, where there is one: the day goes on without."""
    try:
        url: str = request.getfixturevalue("redis_server")
    except pytest.skip.Exception:
        return None
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, redis_url: str | None) -> Iterator[RunningDemo]:
    settings = {"ONA_LOG_LEVEL": "DEBUG"}
    settings |= {"ONA_REDIS_URL": redis_url} if redis_url else {}
    with RunningDemo(tmp_path_factory.mktemp("day") / "city", settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def written() -> list[tuple[str, bytes]]:
    """What the commands said; the sweep adds what lies in files."""
    return []


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_is_told_to_its_end(demo: RunningDemo, scene: str) -> None:
    program = ROOT / "examples" / "scenes" / f"{scene}.py"
    told = subprocess.run(
        [sys.executable, str(program), str(demo.file)], capture_output=True, text=True, check=False, timeout=300
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.rstrip().endswith("办成 Done.")


def test_the_scenes_are_the_five_that_were_promised() -> None:
    assert SCENES == ["bank_account", "hotel_check_in", "power_connection", "school_enrolment", "terminal_copy"]


def test_a_scene_that_goes_wrong_says_so(demo: RunningDemo, tmp_path: Path) -> None:
    members = demo.members
    members["people"][0]["password"] = "wrong"
    spoilt = tmp_path / "demo.json"
    spoilt.write_text(json.dumps(members), "utf-8")
    program = ROOT / "examples" / "scenes" / "power_connection.py"
    told = subprocess.run(
        [sys.executable, str(program), str(spoilt)], capture_output=True, text=True, check=False, timeout=300
    )
    assert (told.returncode, "Traceback" in told.stderr) == (1, False)
    assert "没有办成" in told.stderr


def test_a_crowd_comes(demo: RunningDemo, crowd: Crowd, written: list[tuple[str, bytes]], tmp_path: Path) -> None:
    """By file: a thousand into the population register, a thousand licences into the library."""
    people, licences = tmp_path / "people.jsonl", tmp_path / "licences.jsonl"
    people.write_text("".join(json.dumps(person) + "\n" for person in crowd.people()), "utf-8")
    kind, fields = _qualification(demo)
    rows = ({"type": kind, "holder": number, "number": f"ZY-{number[-7:]}", **fields} for number in crowd.numbers)
    licences.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    settings = demo.members["environment"] | {"ONA_LOG_LEVEL": "DEBUG"}
    for command in (("register", "import", "people", str(people)), ("licences", "import", str(licences))):
        done = flask(*command, "--json", settings=settings, seconds=120)
        assert (done.returncode, json.loads(done.stdout)["added"]) == (0, CROWD), done.stdout + done.stderr
        written.append((" ".join(command[:2]), (done.stdout + done.stderr).encode()))


def test_some_of_them_walk_everywhere(
    demo: RunningDemo, crowd: Crowd, written: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    kind, fields = _qualification(demo)
    face = {name.removeprefix("field."): value for name, value in fields.items()}
    issuer = _token(demo, "issuer", "licences.issue licences.read")
    counter = _token(demo, "counter", "verifications.create lookups.create")
    clerk = next(clerk for clerk in demo.members["clerks"] if clerk["counter"] == "民生服务窗口4号")
    addresses: list[str] = []
    for number, name in itertools.islice(zip(crowd.numbers, crowd.names, strict=True), WALKING):
        addresses += _forms(demo, number, name)
        order = {"type": kind, "holder": {"number": number}, "fields": face}
        issued = _post(demo, "/v1/licences", order, issuer, 201)
        _post(demo, "/v1/licences", order | {"fields": {"x": name}}, issuer, 422)
        _post(demo, "/v1/licences", order | {"holder": {"number": number[:-1] + "?"}}, issuer, 422)
        _post(demo, "/v1/verifications", {"text": issued["identifier"], "purpose": "核对"}, counter, 200)
        _post(demo, "/v1/verifications", {"text": f"{name} {number}"}, counter, 200)
        look_up = {
            "matter": BY_LAW[0],
            "subject": {"number": number},
            "authorisation": {"legal_basis": BY_LAW[1]},
            "purpose": "低保审核",
            "case_number": f"CASE-{number[-4:]}",
            "department": clerk["department"],
            "operator": {"id_number": clerk["id_number"], "counter": clerk["counter"]},
        }
        _post(demo, "/v1/lookups", look_up, counter, 200)
        _post(demo, "/v1/lookups", look_up | {"fields": {"identity": ["ethnicity"]}}, counter, 403)
        for path in (f"/v1/licences/{number}", f"/me/licences/{name}", f"/verify?text={number}", f"/{number}"):
            requests.get(demo.members["issuer"] + path, headers=issuer, timeout=SECONDS)  # what others type is theirs
        broken = requests.post(
            f"{demo.members['issuer']}/v1/lookups",
            data=f'{{"subject": {{"number": "{number}"',
            headers=counter | {"Content-Type": "application/json"},
            timeout=SECONDS,
        )
        assert broken.status_code == 400
    written.append(("addresses", "\n".join(addresses).encode()))
    assert len(addresses) > WALKING * 10


def test_nothing_personal_is_left_in_the_clear(
    demo: RunningDemo, crowd: Crowd, written: list[tuple[str, bytes]], redis_url: str | None
) -> None:
    """Runs last: it searches what everybody before it left behind."""
    demo.process.terminate()
    demo.process.wait(timeout=SECONDS)
    files = [*demo.folder.glob("ona.db*"), demo.log, demo.folder / "checkpoint"]
    found = [*written, *((path.name, path.read_bytes()) for path in files)]
    if redis_url is not None:
        found += list(_in_redis(redis_url))
    assert sum(len(content) for _name, content in found) > 3_000_000
    assert marked(found) == []
    # The city's own people too; it prints a few accounts on purpose, and sends codes to a file by their telephone.
    greeting = demo.log.read_text("utf-8")
    database = b"".join(content for name, content in found if name.startswith("ona.db"))
    people = demo.members["people"]
    printed = {person["id_number"] for person in people if person["id_number"] in greeting}
    assert len(printed) <= 6
    assert [person for person in people if person["id_number"].encode() in database] == []
    assert [person for person in people if len(person["name"]) > 2 and person["name"].encode() in database] == []


@pytest.mark.parametrize("form", ["number", "name", "masked", "phone", "escaped", "address"])
def test_the_search_finds_what_is_there(crowd: Crowd, form: str) -> None:
    planted = {
        "number": crowd.numbers[7].encode(),
        "name": crowd.names[7].encode(),
        "masked": mask_name(crowd.names[7]).encode(),
        "phone": crowd.phones[7].encode(),
        "escaped": json.dumps(crowd.names[7]).encode(),
        "address": requests.utils.quote(crowd.names[7]).encode(),
    }[form]
    assert marked([("clean", b"\x00" * 500), ("planted", b"\x01" * 200 + planted + b"\x02" * 200)]) == ["planted"]


def marked(found: Iterable[tuple[str, bytes]]) -> list[str]:
    """The names of those texts in which a marked citizen stands."""
    return [name for name, content in found if MARKS.search(AT_RANDOM.sub(b" ", content))]


def _in_redis(url: str) -> Iterator[tuple[str, bytes]]:
    with redis.Redis.from_url(url) as client:
        keys = list(client.scan_iter(count=1000))
        assert keys, "the city was to use it"
        for key in keys:
            yield "redis", bytes(key) + (client.dump(key) or b"")


def _forms(demo: RunningDemo, number: str, name: str) -> list[str]:
    """Fill the forms of the public pages in with what is personal; return every address seen on the way."""
    seen: list[str] = []

    def note(answer: requests.Response, *_args: Any, **_more: Any) -> None:
        seen.extend([answer.url, answer.headers.get("Location", "")])
        seen.extend(re.findall(r'(?:href|action|src)="([^"]*)"', answer.text))

    with requests.Session() as visitor:
        visitor.hooks["response"].append(note)
        for path, values in (
            ("/login", {"number": number, "password": name}),
            ("/recover", {"number": number, "name": name}),
            ("/verify", {"text": number}),
        ):
            page = visitor.get(demo.members["issuer"] + path, timeout=SECONDS)
            token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
            assert token is not None, path
            cookies = {cookie.name: cookie.value or "" for cookie in visitor.cookies}  # Secure, on loopback too
            visitor.post(
                demo.members["issuer"] + path, {**values, "csrf_token": token[1]}, cookies=cookies, timeout=SECONDS
            )
    return seen


def _qualification(demo: RunningDemo) -> tuple[str, dict[str, Any]]:
    """A type that one holder may hold many times, and what a row of a file says of it."""
    listed = requests.get(f"{demo.members['issuer']}/v1/licence-types", timeout=SECONDS).json()["items"]
    kind = next(kind for kind in listed if kind["holder_kind"] == "person" and not kind["single"])
    return kind["code"], {f"field.{field['name']}": field["example"] for field in kind["fields"]}


def _token(demo: RunningDemo, name: str, scope: str) -> dict[str, str]:
    client = next(client for client in demo.members["clients"] if client["name"] == name)
    answer = requests.post(
        f"{demo.members['issuer']}/oauth/token",
        {"grant_type": "client_credentials", "scope": scope},
        auth=(client["client_id"], client["client_secret"]),
        timeout=SECONDS,
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _post(demo: RunningDemo, path: str, body: dict[str, Any], by: dict[str, str], status: int) -> dict[str, Any]:
    answer = requests.post(demo.members["issuer"] + path, json=body, headers=by, timeout=SECONDS)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found
