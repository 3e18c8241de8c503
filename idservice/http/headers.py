"""Security headers, one policy in one place; a response may add to its own `form-action`, `frame-src`, `script-src`.

Chromium applies `form-action` to every redirect that follows a form post. The consent form's answer is a redirect to
the app, so that one page must allow the origin of the validated redirect URI, and only that page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import g

from idservice.http.application import WholeResponse
from idservice.http.current import asked, kept

if TYPE_CHECKING:
    from flask import Flask, Response

    from idservice.settings import Settings

PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
FRAMED_POLICY = (
    "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors http: https:"
)
WORKER_POLICY = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"
NOT_STORED = ("Cache-Control", "no-store")
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_SOURCE = re.compile(
    r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?|(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE
)
_CODE = frozenset({"javascript:", "data:", "blob:", "vbscript:", "about:"})


def allow_form_action(url: str) -> None:
    """Let the forms of this response lead, by redirect, to the origin of `url` (a validated redirect URI)."""
    g.form_action = _source(url)


def allow_frames(urls: Iterable[str]) -> None:
    """Let this response show pages of the origins of `urls` (registered front-channel logout URIs) in frames."""
    g.frame_sources = sorted({_source(url) for url in urls})


def allow_webassembly() -> None:
    """Let this page compile WebAssembly, which reads codes where the browser cannot; text stays unevaluated."""
    g.has_webassembly = True


def allow_framing() -> None:
    """Let any site show this response in a frame: only for a page that shows and does nothing by itself."""
    g.is_framed = True


def _source(url: str) -> str:
    parts = urlsplit(url)
    source = f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"
    if not _SOURCE.fullmatch(source) or source in _CODE:
        raise ValueError("not an origin")
    return source


def install(app: Flask, settings: Settings) -> None:
    """Add the headers to every response of `app`."""
    common = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
    if settings.issuer.startswith("https://"):
        common.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    data = [*common, ("Content-Security-Policy", DATA_POLICY)]
    data_not_stored = [*data, NOT_STORED]
    page = [
        *common,
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "geolocation=(), microphone=(), camera=(self)"),
    ]
    framed = [*common, ("Content-Security-Policy", FRAMED_POLICY)]
    # A service worker fetches under the policy of its own script; the other scripts are static files.
    worker = [*common, ("Content-Security-Policy", WORKER_POLICY)]

    @app.after_request
    def add(response: Response) -> Response:
        # Asked like this because `in` raises and catches an exception of a kind that is dear to make.
        named = {name.lower(): value for name, value in response.headers}
        is_static = asked().endpoint == "static"
        is_stored = "cache-control" in named or is_static
        standing = data if is_stored else data_not_stored
        kind = named.get("content-type", "")
        if kind.startswith("text/html") and not isinstance(response, WholeResponse):
            shown = kept()
            standing = (
                framed if shown.get("is_framed") else [*page, _policy(shown), *(() if is_stored else [NOT_STORED])]
            )
        elif kind.startswith("text/javascript") and not is_static:
            standing = worker
        response.standing = standing  # type: ignore[attr-defined]  # of every response: Application.response_class
        return response


def _policy(shown: Any) -> tuple[str, str]:
    """Return the policy of this page, with the origins that it needs."""
    extra, frames = shown.get("form_action"), shown.get("frame_sources")
    policy = PAGE_POLICY
    if shown.get("has_webassembly"):
        policy = policy.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
    if extra:
        policy = f"{policy} {extra}"
    return "Content-Security-Policy", f"{policy}; frame-src {' '.join(frames)}" if frames else policy
