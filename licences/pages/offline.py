"""Checking without a network (离线核验): the counter's page, the worker that keeps the pages, and what it keeps.

Nothing here knows anybody: whoever opens these pages gets the same, so that a copy of them may lie on any device.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, current_app, render_template

from idservice.http import headers
from idservice.http.page import Who, page
from idservice.language import TRANSLATIONS
from keys.ring import Purpose
from licences.trust.bundle import pin

if TYPE_CHECKING:
    from jinja2 import Environment

    from idservice.call import Call

blueprint = Blueprint("offline_pages", __name__, template_folder="../templates")

#: By path of a page, the page that stands in for it where there is no network.
SHELLS: Final = {
    "/verify": "/verify",
    "/V": "/verify",
    "/counter": "/counter/offline",
    "/counter/offline": "/counter/offline",
}
#: What those pages load, below the folder of static files.
FILES: Final = (
    "css/counter.css",
    "css/parts.css",
    "css/theme.css",
    "icons/*.svg",
    "js/camera.js",
    "js/counter.js",
    "js/offline/*.js",
    "js/page.js",
    "js/reader.js",
    "js/sound.js",
    "vendor/govuk-frontend/*.min.*",
    "vendor/sm-crypto-v2/*.js",
    "vendor/zxing-wasm/**/*.js",
    "vendor/zxing-wasm/**/*.wasm",
)
_WORKER: Final = "js/offline/worker.js"
_TEMPLATES: Final = (
    "base.html",
    "counter/layout.html",
    "counter/offline.html",
    "macros/forms.html",
    "macros/parts.html",
    "macros/words.html",
    "offline/parts.html",
    "verify.html",
)


@page(blueprint, "/counter/offline", who=Who.ANYONE)
def scan_offline(call: Call) -> str:
    """Wait for a scan, and judge it on the clerk's own device."""
    headers.allow_webassembly()
    return render_template("counter/offline.html", pins=pins(call))


# Every page of the family asks for it each time it is opened, and an office has one address.
@page(blueprint, "/offline-worker.js", who=Who.ANYONE, limit="6000/minute")
def worker(_call: Call) -> Response:
    """Hand out the worker; it is another one whenever something that it keeps is another."""
    folder = Path(current_app.static_folder or "")
    kept = tuple(sorted({path for pattern in FILES for path in folder.glob(pattern)}))
    changed_at = tuple(path.stat().st_mtime_ns for path in kept)
    text = _worker(current_app.jinja_env, folder, current_app.static_url_path or "", kept, changed_at)
    return Response(text, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


def pins(call: Call) -> list[str]:
    """Return the thumbprints of the keys that may sign a trust bundle: what a page's lists are checked against."""
    return [pin(key) for key in call.keys.public(Purpose.TRUST).values()]


@lru_cache(maxsize=2)
def _worker(
    templates: Environment, folder: Path, address: str, kept: tuple[Path, ...], _changed_at: tuple[int, ...]
) -> str:
    """Return the worker of these files as they are, and of the pages as they were when this process began."""
    script = (folder / _WORKER).read_text("utf-8")
    others = [path for path in kept if path != folder / _WORKER]
    files = {f"{address}/{path.relative_to(folder).as_posix()}": _integrity(path) for path in others}
    edition = hashlib.sha256("\n".join([*files.values(), script]).encode())
    for name in _TEMPLATES:
        edition.update(templates.loader.get_source(templates, name)[0].encode() if templates.loader else b"")
    for path in sorted(TRANSLATIONS.rglob("*.mo")):
        edition.update(path.read_bytes())
    stated = {"VERSION": edition.hexdigest()[:16], "SHELLS": SHELLS, "FILES": files}
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in stated.items()) + script


def _integrity(path: Path) -> str:
    """Return the digest by which a browser checks a file (Subresource Integrity)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
