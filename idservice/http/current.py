"""The request under way (当前请求), without Flask's proxies: these look it up anew at every attribute.

What every request runs through asks for a dozen attributes; a look-up costs more than most of what is done with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, request

if TYPE_CHECKING:
    from flask import Request


def asked() -> Request:
    """Return the request; RuntimeError outside any."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as Werkzeug documents
    return found


def kept() -> Any:
    """Return what is kept until the request has been answered (`flask.g`)."""
    return g._get_current_object()  # noqa: SLF001
