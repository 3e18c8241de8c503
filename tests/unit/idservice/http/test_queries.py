"""Queries that are handed on mean what they meant, without what was taken out of them."""

import io
import random
from urllib.parse import parse_qsl, quote

import pytest
from flask import Flask, Request, g, request

from idservice.http import current, queries
from idservice.http.application import PlainRequest


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a=1&hint=2&b=%2F+%E6%96%87", [("a", "1"), ("b", "/ 文")]),
        ("hint=1&a=&hint=2&a=3", [("a", ""), ("a", "3")]),
        ("h%69nt=secret&a=1", [("a", "1")]),
        ("%68%69nt&&a=1&", [("a", "1")]),
        ("hint", []),
        ("", []),
        ("a=文&hint=号", [("a", "文")]),
        ("a=1&hint=<x>&b=\"'", [("a", "1"), ("b", "\"'")]),
    ],
)
def test_a_parameter_is_taken_out_however_it_is_written(sent: str, kept: list[tuple[str, str]]) -> None:
    environ = {"QUERY_STRING": sent.encode().decode("latin-1")}
    with Flask("x").test_request_context("/", environ_overrides=environ):
        found = queries.without("hint")
    assert parse_qsl(found, keep_blank_values=True) == kept
    assert found.isascii()
    assert not set("<>\"' ") & set(found)


@pytest.mark.parametrize("url", ["", "/oauth/authorize?a=%2F&b=c+d~e", "/x?y=文", "/ a\"<'>#\r\n"])
def test_quoting_is_that_of_urllib(url: str) -> None:
    assert queries.quoted(url) == quote(url, safe="")


def test_names_and_values_are_those_that_werkzeug_reads() -> None:
    chance, parts = (
        random.Random(7),
        ["a", "=", "&", "+", "%", "%2", "%41", "%E6%96%87", "%FF", "%00", "文", ";", "?", ""],
    )
    for _ in range(3000):
        text = "".join(chance.choices(parts, k=chance.randrange(12)))
        assert queries.pairs(text) == parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote"), text


@pytest.mark.parametrize("sent", ["", "a=1&a=2&b=", "x=%FF%41&%=+", "to=%2Foauth%3Fa%3D1%2526&n=%E5%8F%B7"])
def test_a_request_is_read_as_werkzeug_reads_it(sent: str) -> None:
    environ = {"QUERY_STRING": sent}
    form = {"method": "POST", "data": sent, "content_type": "application/x-www-form-urlencoded"}
    with Flask("x").test_request_context("/", environ_overrides=environ, **form):
        came = current.asked().environ
        plain, found = (kind({**came, "wsgi.input": io.BytesIO(sent.encode())}) for kind in (Request, PlainRequest))
        for one, other in ((plain.args, found.args), (plain.form, found.form)):
            assert list(one.items(multi=True)) == list(other.items(multi=True))
        assert found.args.get("nobody") is None
        assert found.args.get("nobody", "x") == "x"
        assert found.args.get("a", type=int) == plain.args.get("a", type=int)


def test_the_request_and_what_it_keeps_are_those_of_flask() -> None:
    with Flask("x").test_request_context("/there"):
        current.kept().word = "kept"
        assert (current.asked().path, g.word) == (request.path, "kept")
    with pytest.raises(RuntimeError):
        current.asked()
