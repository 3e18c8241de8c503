"""The size of the type on the pages (敬老模式): normal, or large for whoever reads with difficulty, remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idservice.http import queries
from idservice.http.current import asked

if TYPE_CHECKING:
    from flask import Flask, Response

LARGE: Final = "large"
SIZES: Final = frozenset({LARGE, "normal"})
_COOKIE: Final = "ona_size"
_A_YEAR: Final = 365 * 24 * 3600


def is_large() -> bool:
    """Return whether the reader wants large type: by the address, else as he chose before."""
    chosen = _asked_for()
    return (chosen or asked().cookies.get(_COOKIE)) == LARGE


def install(app: Flask) -> None:
    """Tell every template the size of the type, and remember a size chosen by `?size=`."""

    @app.context_processor
    def page_context() -> dict[str, Any]:
        return {"is_large": is_large(), "query_sized": _query_sized}

    @app.after_request
    def remember(response: Response) -> Response:
        chosen = _asked_for()
        if chosen is not None:
            response.set_cookie(_COOKIE, chosen, max_age=_A_YEAR, samesite="Lax", httponly=True)
        return response


def _asked_for() -> str | None:
    request = asked()
    chosen = request.args.get("size") if "size=" in request.environ.get("QUERY_STRING", "") else None
    return chosen if chosen in SIZES else None


def _query_sized(size: str) -> str:
    """Return the query by which this page is shown in a size."""
    return "&".join(filter(None, (queries.without("size"), f"size={size}")))
