"""The pages that check without a network: what they hand out, what their worker keeps, what no other page may."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from idservice.http.page import PAGES
from keys.ring import Purpose
from licences.pages import offline
from licences.trust.bundle import pin
from tests.town import CLERK, OFFICER, Town

STATIC = Path(__file__).parents[3] / "idservice" / "static"
CHECKING = {"/verify", "/counter", "/counter/offline"}
MEGABYTE = 1024 * 1024


def stated(text: str) -> dict[str, Any]:
    """The constants in front of the worker's script."""
    return {
        name: json.loads(value)
        for name, value in re.findall(r"^const (VERSION|SHELLS|FILES) = (.*);$", text, re.MULTILINE)
    }


def test_the_worker_names_every_file_by_its_digest(town: Town) -> None:
    answer = town.web.get("/offline-worker.js")
    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (
        200,
        "text/javascript",
        "no-cache",
    )
    policy = answer.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"
    found = stated(answer.text)
    assert found["SHELLS"] == offline.SHELLS
    for path, integrity in found["FILES"].items():
        content = (STATIC / path.removeprefix("/static/")).read_bytes()
        assert integrity == "sha256-" + base64.b64encode(hashlib.sha256(content).digest()).decode(), path
    assert "/static/js/offline/worker.js" not in found["FILES"]
    assert sum((STATIC / path.removeprefix("/static/")).stat().st_size for path in found["FILES"]) < 1.5 * MEGABYTE


def test_the_pages_load_nothing_that_the_worker_does_not_keep(town: Town) -> None:
    kept = set(stated(town.web.get("/offline-worker.js").text)["FILES"])
    loaded: set[str] = set()
    for path in ("/verify", "/counter/offline"):
        loaded |= set(re.findall(r'(?:src|href)="(/static/[^"]+)"', town.web.get(path).text))
    for path in sorted(kept | loaded):
        if path.endswith((".css", ".js")) and "/vendor/" not in path:
            text = (STATIC / path.removeprefix("/static/")).read_text("utf-8")
            named = re.findall(r'(?:from |import\()"(\.[^"]+)"|url\("(\.[^"]+)"\)', text)
            folder = Path(path).parent
            loaded |= {"/" + str(Path(*_resolved(folder / (one or other)))) for one, other in named}
    assert loaded - kept == set()


def _resolved(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return parts


def test_another_file_makes_another_worker(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(STATIC / "js", tmp_path / "js")
    monkeypatch.setattr(town.app, "static_folder", str(tmp_path))

    def version() -> str:
        return str(stated(town.web.get("/offline-worker.js").text)["VERSION"])

    seen = [version(), version()]
    for name in ("js/reader.js", "js/offline/worker.js"):
        with (tmp_path / name).open("a") as file:
            file.write("\n")
        seen.append(version())
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


def test_the_pages_name_the_keys_that_sign_the_lists_and_nobody_else(town: Town) -> None:
    keys = town.house.keys.public(Purpose.TRUST).values()
    assert keys
    for path in ("/verify", "/counter/offline"):
        text = town.web.get(path).text
        assert f'data-pins="{" ".join(pin(key) for key in keys)}"' in text
    assert 'name="csrf_token"' not in town.web.get("/counter/offline").text


def test_only_pages_that_read_codes_may_compile_webassembly(town: Town) -> None:
    seen = {}
    for number in (CLERK, OFFICER):
        web = town.browser(number).client
        for _name, rule, _who in PAGES:
            if "<" in rule:
                continue
            answer = web.get(rule)
            if answer.mimetype == "text/html" and answer.status_code == 200:
                policy = answer.headers["Content-Security-Policy"]
                seen[rule] = "'wasm-unsafe-eval'" in policy
                assert "'unsafe-eval'" not in policy
                assert "unsafe-inline" not in policy
    assert {rule for rule, may in seen.items() if may} == CHECKING
    assert len(seen) > 20
