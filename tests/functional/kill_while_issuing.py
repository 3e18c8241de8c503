"""Kill workers while licences are being issued: no acknowledged licence is lost, none is issued twice for one key.

`python -m tests.functional.kill_while_issuing [KEYS]` starts a demonstration city of its own and prints the counts.
"""

import base64
import contextlib
import http.client
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.functional.running_demo import RunningDemo, kill

EVERY = 0.5  # seconds between kills
GROWN_UP = 0.9  # a worker is killed when it is at work, not while it loads
MOST_KILLS = 30  # on a machine so slow that no worker finishes anything before it dies, nothing would ever end
SENDERS = 6
SECONDS = 120.0
PATIENCE = {409, 429, 500, 502, 503, 504}


@dataclass
class Counts:
    """What came of it; the last three must be 0."""

    keys: int
    kills: int
    retries: int
    acknowledged: int
    lost: int
    doubled: int
    changed_on_replay: int


class Api:
    """The API of a running demonstration, as one of its systems; patient, as a careful client is."""

    def __init__(self, demo: RunningDemo, *, name: str = "issuer", scope: str = "licences.issue licences.read") -> None:
        self.port = demo.port
        self.retries = 0
        client = next(client for client in demo.members["clients"] if client["name"] == name)
        basic = base64.b64encode(f"{client['client_id']}:{client['client_secret']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        form = urlencode({"grant_type": "client_credentials", "scope": scope})
        token = json.loads(self.insist("POST", "/oauth/token", form))["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> str:
        return self.insist("GET", path, None)

    def post(self, path: str, body: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.insist("POST", path, json.dumps(body), key))
        return answer

    def insist(self, method: str, path: str, body: str | None, key: str | None = None) -> str:
        """Send until it is answered with success."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                status, answer = self._send(method, path, body, headers)
            except (OSError, http.client.HTTPException):
                status, answer = None, ""
            if status in {200, 201}:
                return answer
            if status is not None and status not in PATIENCE:
                raise AssertionError(f"{method} {path}: {status} {answer}")
            self.retries += 1
            time.sleep(random.uniform(0.02, 0.2))
        raise AssertionError(f"{method} {path} was never answered")

    def issued(self, type_code: str, department: str) -> set[str]:
        """All licences of a type that are in the register."""
        found: set[str] = set()
        query = {"type": type_code, "department": department, "limit": "200"}
        while True:
            answer = json.loads(self.get(f"/v1/licences?{urlencode(query)}"))
            found.update(item["identifier"] for item in answer["items"])
            if answer["next_cursor"] is None:
                return found
            query["cursor"] = answer["next_cursor"]

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)) as connection:
            connection.request(method, path, body.encode() if body else None, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()


class Killer(threading.Thread):
    """Kills one of the workers that have grown up, again and again."""

    def __init__(self, demo: RunningDemo) -> None:
        super().__init__(daemon=True)
        self.demo, self.done, self.kills = demo, threading.Event(), 0

    def run(self) -> None:
        born: dict[int, float] = {}
        while self.kills < MOST_KILLS and not self.done.wait(EVERY):
            now = time.monotonic()
            workers = self.demo.workers()
            grown = [pid for pid in workers if now - born.setdefault(pid, now) > GROWN_UP]
            if grown:
                kill(random.choice(grown))
                self.kills += 1


@contextlib.contextmanager
def killing(demo: RunningDemo) -> Iterator[Killer]:
    killer = Killer(demo)
    killer.start()
    try:
        yield killer
    finally:
        killer.done.set()
        killer.join()


def run(demo: RunningDemo, *, keys: int) -> Counts:
    """Issue one licence for each of `keys` keys to people of the city while workers die."""
    api = Api(demo)
    kind = _type_to_issue(demo, api)
    holders = [person["id_number"] for person in demo.members["people"][:50]]
    bodies = {
        str(uuid.uuid4()): {"type": kind["code"], "holder": {"number": holders[n % 50]}, "fields": kind["fields"]}
        for n in range(keys)
    }

    def issue(key: str) -> str:
        return str(api.post("/v1/licences", bodies[key], key=key)["identifier"])

    before = api.issued(kind["code"], kind["department"])
    with killing(demo) as killer, ThreadPoolExecutor(SENDERS) as senders:
        acknowledged = dict(zip(bodies, senders.map(issue, bodies), strict=True))
    new = api.issued(kind["code"], kind["department"]) - before
    replayed = {key: issue(key) for key in list(bodies)[:: max(1, keys // 20)]}
    return Counts(
        keys=keys,
        kills=killer.kills,
        retries=api.retries,
        acknowledged=len(set(acknowledged.values())),
        lost=len(set(acknowledged.values()) - new),
        doubled=len(new) - len(set(acknowledged.values())),
        changed_on_replay=sum(acknowledged[key] != code for key, code in replayed.items()),
    )


def _type_to_issue(demo: RunningDemo, api: Api) -> dict[str, Any]:
    """A type that one person may hold several times, with its own examples as fields."""
    types = json.loads(api.get("/v1/licence-types"))["items"]
    kind = next(each for each in types if each["holder_kind"] == "person" and not each["single"])
    issuer = next(each for each in demo.members["departments"] if kind["code"] in each["issues"])
    fields = {field["name"]: field["example"] for field in kind["fields"] if field["required"]}
    return {"code": kind["code"], "fields": fields, "department": issuer["credit_code"]}


def main() -> None:
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with tempfile.TemporaryDirectory() as folder:
        unthrottled = {"ONA_UNTHROTTLED_LOOPBACK": "1"}
        with RunningDemo(Path(folder) / "city", settings=unthrottled) as demo:
            counts = run(demo, keys=keys)
    sys.stdout.write(f"{counts}\n")
    sys.exit(1 if counts.lost or counts.doubled or counts.changed_on_replay else 0)


if __name__ == "__main__":
    main()
