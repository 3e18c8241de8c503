"""Security headers, one policy in one place; a response may add origins to its own `form-action` and `frame-src`.

Chromium applies `form-action` to every redirect that follows a form post. The consent form's answer is a redirect to
the app, so that one page must allow the origin of the validated redirect URI, and only that page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import g
from flask.globals import request_ctx

from idservice.http.application import WholeResponse

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

    @app.after_request
    def add(response: Response) -> Response:
        # Asked like this because `in` raises and catches an exception of a kind that is dear to make.
        is_stored = (
            any(name.lower() == "cache-control" for name, _ in response.headers)
            or request_ctx.request.endpoint == "static"
        )
        standing = data if is_stored else data_not_stored
        if not isinstance(response, WholeResponse) and response.mimetype == "text/html":
            standing = framed if g.get("is_framed") else [*page, _policy(), *(() if is_stored else [NOT_STORED])]
        response.standing = standing  # type: ignore[attr-defined]  # of every response: Application.response_class
        return response


def _policy() -> tuple[str, str]:
    """Return the policy of this page, with the origins that it needs."""
    extra, frames = g.get("form_action"), g.get("frame_sources")
    policy = f"{PAGE_POLICY} {extra}" if extra else PAGE_POLICY
    return "Content-Security-Policy", f"{policy}; frame-src {' '.join(frames)}" if frames else policy
