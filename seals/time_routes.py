"""`POST /tsa`: the demonstration's time-stamp authority over HTTP (RFC 3161 clause 3.4). Open to all, within limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from idservice.call import Call, Caller
from idservice.errors import Problem
from keys.timestamp import MAX_REQUEST
from seals.time_client import QUERY, REPLY
from seals.time_stamping import PATH, answered

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House

blueprint = Blueprint("tsa", __name__)
LIMIT = "120/minute"


@blueprint.post(PATH)
def stamp() -> Response:
    """Answer a TimeStampReq with a TimeStampResp."""
    house: House = current_app.extensions["ona"]
    address = request.remote_addr
    house.limiter.check(LIMIT, what="tsa", who=address or "-", address=address)
    if request.mimetype != QUERY:
        raise Problem("media_type", f"Send {QUERY}.")
    if (request.content_length or 0) > MAX_REQUEST:
        raise Problem("too_large", f"A time-stamp request has at most {MAX_REQUEST} bytes.")
    data, caller = request.get_data(), Caller(channel="api", address=address)

    def deed(session: Session) -> bytes:
        return answered(Call(house, session, caller, datetime.now(UTC)), data)

    return Response(house.database.run(deed, write=True), content_type=REPLY)
