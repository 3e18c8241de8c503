"""Status lists and the trust bundle as static files: public, cacheable, the same bytes for everybody.

`/status/{number}` is the list's own address: JWT, or CWT where that is accepted alone. `?time=` (Unix seconds) asks how
the list stood then.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, current_app, jsonify, request

from idservice import operations
from idservice.errors import Problem
from licences.status import bitstring, files, publish, publisher, token_list
from licences.status.edition import AGGREGATION, PATH, TTL, name_of, uri_of
from licences.trust.bundle import TYPE as BUNDLE_TYPE
from licences.trust.gather import NAME as BUNDLE

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House

blueprint = Blueprint("status", __name__)
operations.watch_also("status_lists", publisher.waited, late=publisher.LATE)

LIMIT: Final = "6000/minute"
LIMIT_OF_HISTORY: Final = "60/minute"  # each answer is made and signed
_JWT, _CWT = f"application/{token_list.JWT_TYPE}", f"application/{token_list.CWT_TYPE}"
_FORMS: Final = {_JWT: "jwt", _CWT: "cwt"}


@blueprint.get(f"{PATH}/<int:number>")
def token(number: int) -> Response:
    """Answer with the token of a list, as it stands or as it stood at `time`."""
    media_type = request.accept_mimetypes.best_match([_JWT, _CWT], default=_JWT)
    if "time" in request.args:
        return _as_of(number, request.args["time"], media_type)
    return _file(name_of(number, _FORMS[media_type]), media_type)


@blueprint.get(f"{PATH}/<int:number>/<any(revocation,suspension):purpose>")
def bits(number: int, purpose: str) -> Response:
    """Answer with the same statuses as a Bitstring Status List."""
    return _file(name_of(number, purpose), f"application/{bitstring.TYPE}")


@blueprint.get(AGGREGATION)
def lists() -> Response:
    """Answer with the addresses of all lists (Token Status List, section 9)."""
    home = _house()
    found = home.database.run(publish.numbers, write=False)
    response = jsonify(status_lists=[uri_of(home.settings.signs_as, number) for number in found])
    return _static(response)


@blueprint.get("/trust/bundle")
def bundle() -> Response:
    """Answer with the trust bundle."""
    return _file(BUNDLE, f"application/{BUNDLE_TYPE}")


def _file(name: str, media_type: str) -> Response:
    found = _house().database.run(lambda session: files.find(session, name), write=False)
    if found is None:
        raise Problem("not_found", "There is no such list, or it has not been published yet.")
    return _static(Response(found.content, content_type=media_type))


def _as_of(number: int, time: str, media_type: str) -> Response:
    """Answer with what stood in a list then; what lies ahead of us is not acceptable."""
    home = _house(LIMIT_OF_HISTORY, what="status_history")
    if not (time.isascii() and time.isdigit() and int(time[:13]) <= token_list.LATEST):
        raise Problem("bad_request", "time is a number of Unix seconds.")
    moment = datetime.fromtimestamp(int(time[:13]), UTC)
    if moment > datetime.now(UTC):
        raise Problem("not_acceptable", "That time has not come yet.")

    def make(session: Session) -> bytes:
        if number not in publish.numbers(session):
            raise Problem("not_found", "There is no such list.")
        return publish.as_of(home, session, number, moment)[name_of(number, _FORMS[media_type])]

    return _static(Response(home.database.run(make, write=False), content_type=media_type))


def _house(limit: str = LIMIT, *, what: str = "status") -> House:
    house: House = current_app.extensions["ona"]
    address = request.remote_addr
    house.limiter.check(limit, what=what, who=address or "-", address=address)
    return house


def _static(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={TTL}"
    response.headers["Access-Control-Allow-Origin"] = "*"  # a verifier may be a page of somebody else's
    response.vary.add("Accept")
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]
