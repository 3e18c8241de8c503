"""One run: how long, where, and the servers that its measures share."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import servers
from benchmarks.application import open_application

if TYPE_CHECKING:
    from benchmarks.city import City
    from benchmarks.request import Request
    from benchmarks.servers import Server
    from idservice.call import House


@dataclass
class Bench:
    """What a measure needs; servers start when the first measure asks for them and end with `servers`."""

    folder: Path
    rounds: int
    seconds: int
    full: Path | None = None  # where the city of full size lies, or is to be built
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @cached_property
    def ours(self) -> tuple[Server, City]:
        """Return the served demonstration city."""
        return self.running.enter_context(servers.demonstration(self.folder))

    @cached_property
    def house(self) -> House:
        """Return the city's database and keys, opened in this process to prepare what is sent."""
        _, city = self.ours
        house: House = open_application(city.members).extensions["ona"]
        return house

    @cached_property
    def hello(self) -> Server:
        """Return bare Flask on the same server."""
        return self.running.enter_context(servers.granian("benchmarks.peers.hello:create_app", self.folder))

    def token(self, client: str, scope: str) -> str:
        """Return a fresh access token of a demonstration client."""
        server, city = self.ours
        return str(json.loads(fetch(server.url, city.token_request(client, scope)))["access_token"])


def fetch(url: str, request: Request) -> bytes:
    """Return the body of the answer to one request."""
    asked = urllib.request.Request(
        url + request.path, data=request.body or None, headers=dict(request.headers), method=request.method
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        body: bytes = answer.read()
    return body
