"""One HTTP request as a value, so that the same one can be sent by the load generator or straight into the app."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its host; `headers` need no Content-Length."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def raw(self, host: str) -> bytes:
        """Return the bytes of the request as HTTP/1.1 has them."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join((*lines, "", "")).encode() + self.body

    def environ(self) -> dict[str, Any]:
        """Return the request as a WSGI server hands it over (PEP 3333)."""
        path, _, query = self.path.partition("?")
        named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "CONTENT_TYPE": named.pop("HTTP_CONTENT_TYPE", ""),
            "CONTENT_LENGTH": str(len(self.body)) if self.body else "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **named,
        }


def get(path: str) -> Request:
    """Return a plain GET."""
    return Request("GET", path)


def form(path: str, members: Mapping[str, str], *, user: str, password: str) -> Request:
    """Return a form post of a client that authenticates with HTTP Basic."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", path, headers, urlencode(members).encode())


def post_json(path: str, members: Mapping[str, Any], *, token: str) -> Request:
    """Return a JSON post with an access token."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Request("POST", path, headers, json.dumps(members, ensure_ascii=False).encode())
