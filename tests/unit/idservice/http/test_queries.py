"""Queries that are handed on mean what they meant, without what was taken out of them."""

from urllib.parse import parse_qsl, quote

import pytest
from flask import Flask

from idservice.http import queries


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
