"""Queries of URLs that are handed on (查询串): as they came wherever they came in plain characters.

Taking a query apart and putting it together again costs more than the page that it leads to; nothing needs either.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote_plus, urlencode

from flask.globals import request_ctx

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~/?&=%+-]*\Z")
_QUOTED: Final = tuple((found, quote(found, safe="")) for found in "%/?&=+")  # the percent sign first


def without(*names: str) -> str:
    """Return the query of this request without the parameters of these names."""
    asked = request_ctx.request
    sent = asked.query_string.decode("latin-1")
    if not _PLAIN.match(sent):
        return urlencode([(name, value) for name, value in asked.args.items(multi=True) if name not in names])
    return "&".join(part for part in sent.split("&") if part and _name_of(part) not in names)


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
