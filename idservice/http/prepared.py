"""Answers that everybody asks for and hardly anything changes: made once, kept, and given ahead of all else.

Metadata and key sets are fetched by every app, again and again. What is kept is the application's own answer, headers
and all, until what it was made from has changed. It has an ETag, so that whoever holds it is only told so (RFC 9110
section 13.1.2).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Version = Callable[[], object]
Count = Callable[[str, str, int, float], None]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, and the very thing it was made from."""

    version: object
    headers: list[tuple[str, str]]
    body: bytes
    etag: str


class Shelf:
    """The prepared answers of an application."""

    def __init__(self) -> None:
        self._versions: dict[str, tuple[str, Version]] = {}
        self._kept: dict[str, _Kept] = {}
        self.count: Count | None = None

    def put(self, path: str, *, route: str, version: Version) -> None:
        """Keep the answer to a plain GET of `path` as long as `version()` returns the same object.

        The view behind it must look at nothing else: not at the caller, the clock or the database.
        """
        self._versions[path] = route, version

    def answer(
        self, application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Return the body of the prepared answer to a request; None where there is none, then `application` answers."""
        known = self._versions.get(environ["PATH_INFO"])
        if known is None or environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
            return None
        started = time.perf_counter()
        route, version_of = known
        before = self._kept.get(environ["PATH_INFO"])
        kept = self._now(environ, version_of, application)
        if kept is None:
            return None
        is_held = _holds(environ.get("HTTP_IF_NONE_MATCH"), kept.etag)
        if self.count is not None and kept is before:  # when it was made, the application counted
            self.count(route, "GET", 304 if is_held else 200, time.perf_counter() - started)
        if is_held:
            start_response("304 Not Modified", [header for header in kept.headers if header[0] != "Content-Length"])
            return []
        start_response("200 OK", kept.headers[:])
        return [kept.body]

    def _now(self, environ: WSGIEnvironment, version_of: Version, application: WSGIApplication) -> _Kept | None:
        try:
            version = version_of()
        except Exception:  # noqa: BLE001 - whatever it is, the application says it in its own words
            return None
        path = environ["PATH_INFO"]
        kept = self._kept.get(path)
        if kept is None or kept.version is not version:
            kept = _made(environ, version, application)
            if kept is not None:
                self._kept[path] = kept
        return kept


def _made(environ: WSGIEnvironment, version: object, application: WSGIApplication) -> _Kept | None:
    """Ask the application as a caller without a header would; keep nothing but a success."""
    answers: list[tuple[str, list[tuple[str, str]]]] = []
    plain = {name: value for name, value in environ.items() if not name.startswith("HTTP_") or name == "HTTP_HOST"}
    body = b"".join(application(plain, lambda status, headers, _error=None: answers.append((status, headers))))  # type: ignore[arg-type]
    status, headers = answers[-1]
    if not status.startswith("200"):
        return None
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return _Kept(version, [*headers, ("ETag", etag)], body, etag)


def _holds(header: str | None, etag: str) -> bool:
    """Return whether the caller has it already, by If-None-Match (RFC 9110 section 13.1.2: weak comparison)."""
    if header is None:
        return False
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in header.split(","))
