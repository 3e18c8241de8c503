"""Behind a proxy the caller is who the proxy says, and only as many proxies as are configured are believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, request

from tests.builders import build_app, migrate
from tests.databases import SqliteDatabases


def _app(folder: Path, hops: int) -> Flask:
    app = build_app(folder, SqliteDatabases(folder).fresh(migrate), proxy_hops=hops)

    @app.get("/who")
    def who() -> str:
        return request.remote_addr or "-"

    return app


@pytest.mark.parametrize(("hops", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7")])
def test_only_configured_proxies_are_believed(tmp_path: Path, hops: int, seen: str) -> None:
    headers = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Host": "evil.example"}
    assert _app(tmp_path, hops).test_client().get("/who", headers=headers).text == seen


@pytest.mark.parametrize("hops", [0, 1])
def test_a_proxy_on_this_machine_does_not_open_the_metrics(tmp_path: Path, hops: int) -> None:
    client = _app(tmp_path, hops).test_client()
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    assert client.get("/metrics").status_code == 200
