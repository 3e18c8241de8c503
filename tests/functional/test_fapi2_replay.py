"""What was used once stays used: across a restart, on another process, and where Redis is flushed or killed."""

from flask import Flask

from tests.builders import house_of
from tests.fapi import Fapi, register
from tests.functional.test_redis import city as redis_city  # noqa: F401 - fixtures
from tests.functional.test_redis import mortal  # noqa: F401
from tests.identity import City, answer_of, query_of, token
from wsgi import create_app


def restarted(app: Flask) -> Flask:
    """The same service once more, over the same database and keys: what only a process remembers is gone."""
    return create_app(house_of(app).settings)


def test_a_proof_an_assertion_and_a_request_uri_stay_used_after_a_restart(fapi: Fapi) -> None:
    browser = fapi.city.browser()
    url = fapi.pushed(fapi.flow())
    assert "code" in answer_of(fapi.answer(url, browser))
    got = fapi.logged_in()
    api = {
        "Authorization": f"DPoP {got['access_token']}",
        **fapi.proof("GET", "/v1/accesses", token=got["access_token"]),
    }
    form = {**dict(query_of(fapi.flow().url())), **fapi.assertion()}
    assert fapi.app.test_client().get("/v1/accesses", headers=api).status_code == 200
    assert token(fapi.app, form, path="/oauth/par").status_code == 201
    second = fapi.refresh(got["refresh_token"]).json

    again = restarted(fapi.app)
    assert again.test_client().get("/v1/accesses", headers=api).status_code == 401
    assert token(again, form, path="/oauth/par").status_code == 401
    assert again.test_client().get(url, headers={"Accept": "text/html"}).status_code == 400
    other = Fapi(City(**{**vars(fapi.city), "app": again}), key=fapi.key, nonce=fapi.nonce)
    assert other.get("/v1/accesses", second["access_token"]).status_code == 200, "the nonce is kept nowhere"
    assert other.refresh(got["refresh_token"]).json == second, "nor is the answer kept in the process"
    house_of(again).database.engine.dispose()


def test_a_proof_stays_used_where_redis_is_flushed_or_killed(redis_city: City, mortal: object) -> None:  # noqa: F811
    register(redis_city, "fapi", profile="fapi2")
    app = Fapi(redis_city)
    text = app.logged_in()["access_token"]
    headers = {"Authorization": f"DPoP {text}", **app.proof("GET", "/v1/accesses", token=text)}

    def status() -> int:
        return redis_city.app.test_client().get("/v1/accesses", headers=headers).status_code

    assert status() == 200
    mortal.do("FLUSHALL")  # type: ignore[attr-defined]
    assert status() == 401
    mortal.kill()  # type: ignore[attr-defined]
    assert status() == 401
    assert app.get("/v1/accesses", text).status_code == 200
