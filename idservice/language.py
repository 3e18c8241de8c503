"""The two languages of the pages: Chinese first, English beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_babel import Babel

from idservice.http import queries
from idservice.http.current import asked, kept
from idservice.http.problems import language

if TYPE_CHECKING:
    from flask import Flask, Response

TRANSLATIONS = Path(__file__).parent / "translations"
A_YEAR = 365 * 24 * 3600


def _locale() -> str:
    return "en" if language() == "en" else "zh_Hans_CN"


def shown_at(path: str, **parameters: str) -> None:
    """State where the page that answers this post is to be had by a link: the post's own address does not tell."""
    query = "&".join(f"{name}={queries.quoted(value)}" for name, value in parameters.items())
    kept().shown_at = f"{path}?{query}"


def has_address() -> bool:
    """Return whether a link leads to this page: not from what answers a post, where nothing else is known of it."""
    return kept().get("shown_at") is not None or queries.is_linked()


def address_in(tongue: str) -> str:
    """Return the address at which this page is shown in a language: without a path where it is that of the request."""
    elsewhere = kept().get("shown_at")
    if elsewhere is not None:
        return f"{elsewhere}&lang={tongue}"
    return "?" + "&".join(filter(None, (queries.without("lang"), f"lang={tongue}")))


def install(app: Flask) -> None:
    """Give every template the language of its reader, and remember a language chosen by `?lang=`."""
    app.config.update(BABEL_DEFAULT_LOCALE="zh_Hans_CN", BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS))
    Babel(app, locale_selector=_locale, default_timezone="Asia/Shanghai")

    @app.context_processor
    def page_context() -> dict[str, Any]:
        config = app.extensions["ona"].settings
        return {
            "lang": language(),
            "has_address": has_address(),
            "address_in": address_in,
            "current_user": kept().get("current_user"),
            "is_demo": config.demo,
        }

    @app.after_request
    def remember(response: Response) -> Response:
        request = asked()
        chosen = request.args.get("lang") if "lang=" in request.environ.get("QUERY_STRING", "") else None
        if chosen in {"zh", "en"}:
            response.set_cookie("ona_lang", chosen, max_age=A_YEAR, samesite="Lax", httponly=True)
        return response
