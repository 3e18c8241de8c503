"""Prepared answers: the application's own, as long as nothing they were made from has changed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import Client

from idservice.http.prepared import Shelf
from keys.ring import Purpose
from tests.unit.idservice.http.conftest import Site

PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/jwks.json")


class Shop:
    """A plain application behind a shelf."""

    def __init__(self) -> None:
        self.app, self.shelf, self.version, self.made, self.status = Flask(__name__), Shelf(), object(), 0, 200
        self.app.add_url_rule("/a", view_func=self.view)
        self.shelf.put("/a", route="a", version=lambda: self.version)
        self.counted: list[tuple[str, str, int]] = []
        self.shelf.count = lambda route, method, status, _seconds: self.counted.append((route, method, status))

    def view(self) -> Response:
        self.made += 1
        return Response(f"made {self.made}", self.status, headers={"X-Own": "1"})

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        prepared = self.shelf.answer(self.app.wsgi_app, environ, start_response)
        return self.app.wsgi_app(environ, start_response) if prepared is None else prepared

    @property
    def web(self) -> Client:
        return Client(self)


def test_an_answer_is_made_once_with_its_headers() -> None:
    shop = Shop()
    answers = [shop.web.get("/a") for _ in range(3)]
    assert [answer.text for answer in answers] == ["made 1"] * 3
    assert all(answer.headers["X-Own"] == "1" for answer in answers)
    assert all(answer.headers["Content-Length"] == "6" for answer in answers)
    assert shop.counted == [("a", "GET", 200)] * 2  # the first one was counted by the application


def test_it_is_made_anew_when_its_version_is_another() -> None:
    shop = Shop()
    before = shop.web.get("/a")
    shop.version = object()
    after = shop.web.get("/a")
    assert (before.text, after.text) == ("made 1", "made 2")
    assert before.headers["ETag"] != after.headers["ETag"]


@pytest.mark.parametrize("sent", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_it_is_told_so(sent: str) -> None:
    shop = Shop()
    etag = shop.web.get("/a").headers["ETag"]
    answer = shop.web.get("/a", headers={"If-None-Match": sent.format(etag)})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
    assert shop.web.get("/a", headers={"If-None-Match": '"other"'}).status_code == 200
    shop.version = object()
    assert sent == "*" or shop.web.get("/a", headers={"If-None-Match": sent.format(etag)}).status_code == 200


def test_only_a_plain_get_is_answered() -> None:
    shop = Shop()
    shop.web.get("/a")
    assert shop.web.get("/a?x=1").text == "made 2"
    assert shop.web.head("/a").status_code == 200
    assert shop.web.post("/a").status_code == 405
    assert shop.web.get("/b").status_code == 404


def test_a_failure_is_not_kept() -> None:
    shop = Shop()
    shop.status = 503
    assert shop.web.get("/a").status_code == 503
    shop.status = 200
    assert shop.web.get("/a").status_code == 200


def test_a_version_that_cannot_be_told_is_the_applications_to_explain() -> None:
    shop = Shop()

    def fail() -> object:
        raise OSError

    shop.shelf.put("/a", route="a", version=fail)
    assert [shop.web.get("/a").text for _ in range(2)] == ["made 1", "made 2"]


@pytest.mark.parametrize("path", PATHS)
def test_the_provider_describes_itself_as_flask_would(site: Site, path: str) -> None:
    client = site.app.test_client()
    client.get(path)
    prepared, through_flask = client.get(path), client.get(f"{path}?x=1")
    assert prepared.data == through_flask.data
    assert prepared.headers.pop("ETag")
    assert sorted(prepared.headers) == sorted(through_flask.headers)
    asked = client.get(path, headers={"Cookie": "ona_lang=en", "Accept-Language": "en"})
    assert (asked.data, "Set-Cookie" in asked.headers) == (prepared.data, False)


def test_a_new_key_is_published_at_once(site: Site) -> None:
    client, ring = site.app.test_client(), site.city.house.keys
    before = client.get(PATHS[2])
    kid = ring.new(Purpose.ID_TOKEN, now=datetime.now(UTC))
    after = client.get(PATHS[2])
    assert kid not in before.text
    assert kid in after.text
    assert before.headers["ETag"] != after.headers["ETag"]


def test_prepared_answers_are_counted(site: Site) -> None:
    client = site.app.test_client()
    line = 'ona_requests_total{method="GET",route="oauth.jwks",status="200"}'

    def count() -> float:
        rows = client.get("/metrics").text.splitlines()
        return next((float(row.rsplit(" ", 1)[1]) for row in rows if row.startswith(line)), 0.0)

    before = count()
    for _ in range(3):
        client.get(PATHS[2])
    assert count() == before + 3
