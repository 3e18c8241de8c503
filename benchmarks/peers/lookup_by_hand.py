"""A look-up by hand (手写的免提交核验): what it cannot do without, in one function, for the floor below ours.

The token, the holder by the hash of his number, the show code used up, his licence read, decrypted and its seal's
signature verified, the look-up, the audit row and the holder's record written and on the disk before the answer. Left
out is what makes it a service: schemas, limits, the guard's rules and counts, the operator, the matter, the judgement
of certificates and dates, masking. CITY names the FILE of the city whose database and keys are used.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, request

from benchmarks.application import open_application
from idservice.ids import secret_hash, timed_id
from idservice.oauth import bearer
from idservice.register.people import INDEX_FIELD
from keys import sm2
from keys.certificates import parse
from licences import record_form
from licences.deeds import Deed
from licences.formats import sdjwt
from licences.identifier_column import unpack
from seals import signature

if TYPE_CHECKING:
    from idservice.call import House

CITY: Final = "LOOKUP_BY_HAND_CITY"
_FIND: Final = "SELECT subject FROM subject_index WHERE number_hash = ?"
_USE: Final = (
    "UPDATE presentation SET used_at = ? WHERE code_hash = ? AND used_at IS NULL AND expires_at > ? RETURNING subject"
)
_READ: Final = (
    "SELECT identifier, record_sealed, issued_at, seal_id, seal_signature FROM licence"
    " WHERE subject = ? AND type_code = ? AND state = 'valid'"
)
_LOOK: Final = (
    "INSERT INTO lookup (subject, lookup_id, matter, matter_version, department, outcomes, basis, at)"
    " VALUES (?, ?, ?, 1, '', '{}', 'show_code', ?)"
)
_AUDIT: Final = (
    "INSERT INTO audit_entry (entry_id, at, deed, outcome, actor, facts, salt) VALUES (?, ?, ?, 'done', 'hand', ?, ?)"
)
_ACCESS: Final = (
    "INSERT INTO access_record (subject, record_id, at, act, facts_sealed, audit_id) VALUES (?, ?, ?, ?, ?, ?)"
)


class _Desk:
    """The city's database and keys in this process."""

    def __init__(self, house: House) -> None:
        self._house = house
        file = str(house.settings.database_url).removeprefix("sqlite:///")
        self._database = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._database.execute(f"PRAGMA {pragma}")
        seals = self._database.execute("SELECT seal_id, seal_der, signer_certificate FROM seal WHERE person IS NULL")
        self._seals = {name: (der, parse(certificate).public_key) for name, der, certificate in seals}

    def look_up(self, token: str, body: dict[str, Any], type_code: str) -> dict[str, Any]:
        """Return the licence's face, having recorded the look."""
        now = datetime.now(UTC)
        if bearer.verify(self._house, token, now=now) is None:
            raise PermissionError
        at, hashed = _text(now), self._house.cipher.index(INDEX_FIELD, body["subject"]["number"])
        self._database.execute("BEGIN IMMEDIATE")
        (subject,) = self._database.execute(_FIND, (hashed,)).fetchone()
        code = secret_hash(body["authorisation"]["code"])
        if self._database.execute(_USE, (at, code, at)).fetchone() != (subject,):
            raise PermissionError
        face = self._face(self._database.execute(_READ, (bytes.fromhex(subject), type_code)).fetchone())
        self._record(subject, now, body)
        self._database.execute("COMMIT")
        return face

    def _face(self, row: tuple[Any, ...]) -> dict[str, Any]:
        packed, sealed, issued_at, seal_id, value = row
        identifier = unpack(packed)
        place = {"table": "licence", "column": "record_sealed", "row": identifier}
        plain = self._house.cipher.open(sealed, **place, version=record_form.FORM)
        content = record_form.unpack(plain[sdjwt.SEED_BYTES :], identifier)
        der, public = self._seals[seal_id]
        signed_at = datetime.fromtimestamp(issued_at // 1_000_000, UTC)
        tbs = signature.tbs(der, signed_at, sm2.sm3(content), identifier)
        if not sm2.verify(public, tbs, value, shared=len(der)):
            raise ValueError(identifier)
        face: dict[str, Any] = json.loads(content)
        return face

    def _record(self, subject: str, now: datetime, body: dict[str, Any]) -> None:
        at, lookup, audit, record = _text(now), timed_id(now), timed_id(now), timed_id(now)
        facts = json.dumps({"purpose": body["purpose"], "case_number": body["case_number"], "basis": "show_code"})
        sealed = self._house.cipher.seal(facts.encode(), table="access_record", column="facts_sealed", row=record)
        run = self._database.execute
        run(_LOOK, (subject, lookup, body["matter"], at))
        run(_AUDIT, (audit, at, Deed.LOOKED_UP, json.dumps({"subject": subject}), secrets.token_bytes(16)))
        run(_ACCESS, (subject, record, at, Deed.LOOKED_UP, sealed, audit))


def create_app() -> Flask:
    """Return the application."""
    members = json.loads(Path(os.environ[CITY]).read_text())
    desk = _Desk(open_application(members).extensions["ona"])
    app = Flask(__name__)

    @app.get("/")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.post("/<type_code>")
    def look_up(type_code: str) -> Response:
        face = desk.look_up(request.headers["Authorization"].removeprefix("Bearer "), request.get_json(), type_code)
        return Response(json.dumps({"outcome": "licence", "fields": face}), mimetype="application/json")

    return app


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
