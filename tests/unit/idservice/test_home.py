from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.builders import build_app, house_of, migrate
from tests.databases import SqliteDatabases


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("home")
    built = build_app(folder, SqliteDatabases(folder).fresh(migrate))
    yield built
    house_of(built).database.engine.dispose()


def test_the_root_of_the_api_leads_to_its_descriptions(app: Flask) -> None:
    client = app.test_client()
    found = client.get("/v1/").json
    assert found["issuer"] == "http://127.0.0.1:8000"
    for name in ("openapi", "openid_configuration"):
        assert found[name].startswith(found["issuer"])
        assert client.get(found[name].removeprefix(found["issuer"])).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_first_pages_are_open_in_both_languages(app: Flask, path: str) -> None:
    client = app.test_client()
    for language, tag in (("zh", "zh-CN"), ("en", "en")):
        answer = client.get(path, query_string={"lang": language})
        assert answer.status_code == 200
        assert f'lang="{tag}"' in answer.text
