"""The log as static files (C2SP tlog-tiles): checkpoint, verifier key, tiles and entry bundles. Public by design.

A tile's or bundle's content is settled by its path for ever, so caches may keep it; only the checkpoint is young.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from idservice.errors import Problem
from idservice.log import tree
from keys.merkle import MerkleError
from keys.note import Verifier
from keys.ring import Purpose, State
from keys.tiles import ENTRIES, entry_bundle, parse_path

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House

blueprint = Blueprint("log", __name__, url_prefix="/log")

LIMIT = "6000/minute"  # a monitor reads a log of a million entries in a minute
YOUNG = "public, max-age=2"  # the sequencer's own pace
FOR_EVER = "public, max-age=31536000, immutable"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"


@blueprint.get("/checkpoint")
def checkpoint() -> Response:
    """Answer with the newest signed checkpoint."""
    row = _house().database.run(tree.newest, write=False)
    if row is None:
        raise Problem("not_found", "The log has not started yet.")
    return _answer(row.note.encode(), TEXT, YOUNG)


@blueprint.get("/key")
def key() -> Response:
    """Answer with the log's verifier keys (C2SP vkey), one a line, the one that signs now first."""
    house = _house()
    row = house.database.run(tree.newest, write=False)
    origin = tree.origin_of(house.settings.issuer) if row is None else row.note.partition("\n")[0]
    active = {info.kid for info in house.keys.list() if info.state is State.ACTIVE}
    keys = sorted(house.keys.public(Purpose.CHECKPOINT).values(), key=lambda each: each.kid not in active)
    return _answer("".join(f"{Verifier(origin, each).vkey}\n" for each in keys).encode(), TEXT, YOUNG)


@blueprint.get("/tile/<path:path>")
def tile(path: str) -> Response:
    """Answer with one tile or entry bundle."""

    def read(session: Session) -> bytes:
        wanted = parse_path(f"tile/{path}")
        if wanted.level == ENTRIES:
            return entry_bundle(tree.entries(session, wanted))
        return tree.read_tile(session)(wanted)

    try:
        data = _house().database.run(read, write=False)
    except MerkleError:
        raise Problem("not_found", "The log has no such tile.") from None
    return _answer(data, BYTES, FOR_EVER)


def _house() -> House:
    house: House = current_app.extensions["ona"]
    address = request.remote_addr
    house.limiter.check(LIMIT, what="log", who=address or "-", address=address)
    return house


def _answer(data: bytes, content_type: str, cache: str) -> Response:
    response = Response(data, content_type=content_type)
    response.headers["Cache-Control"] = cache
    response.headers["Access-Control-Allow-Origin"] = "*"  # a monitor may be a page of somebody else's
    response.set_etag(hashlib.sha256(data).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]
