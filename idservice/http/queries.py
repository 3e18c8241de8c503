"""Queries of URLs that are handed on (查询串): as they came wherever they came in plain characters.

Taking a query apart and putting it together again costs more than the page that it leads to; nothing needs either.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, unquote_plus, urlencode

from flask import current_app

from idservice.http.current import asked

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~/?&=%+-]*\Z")
_INVALID: Final = "werkzeug.url_quote"  # the handler of Werkzeug's for bytes that are no UTF-8: they stay as they came
_QUOTED: Final = tuple((found, quote(found, safe="")) for found in "%/?&=+")  # the percent sign first


def pairs(text: str) -> list[tuple[str, str]]:
    """Return names and values of a query or form in the order in which they came, as Werkzeug reads both.

    That is `parse_qsl` with blank values kept, at a third of its price: most parts of a query need no decoding.
    """
    found = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "+" in part:
                name, value = name.replace("+", " "), value.replace("+", " ")
            if "%" in name:
                name = unquote(name, errors=_INVALID)
            if "%" in value:
                value = unquote(value, errors=_INVALID)
            found.append((name, value))
    return found


def without(*names: str) -> str:
    """Return the query of this request without the parameters of these names."""
    request = asked()
    sent = request.query_string.decode("latin-1")
    if not _PLAIN.match(sent):
        return urlencode([(name, value) for name, value in request.args.items(multi=True) if name not in names])
    return "&".join(part for part in sent.split("&") if part and _name_of(part) not in names)


def is_linked() -> bool:
    """Return whether a link to the address of this request leads to a page: not where it takes posts alone."""
    request = asked()
    if request.method != "POST":
        return True
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(method="GET")


def quoted(url: str) -> str:
    """Return what `quote(url, safe="")` returns, for a plain URL at a price that hardly grows with its length."""
    if not _PLAIN.match(url):
        return quote(url, safe="")
    for found, put in _QUOTED:
        url = url.replace(found, put)
    return url


def _name_of(part: str) -> str:
    name = part.partition("=")[0]
    return unquote_plus(name) if "%" in name or "+" in name else name
