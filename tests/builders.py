"""Builders: a house, an application, a call, a few people. Everything in them is made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.orm import Session

from idservice import schema
from idservice.call import Call, Caller, House
from idservice.db import Database
from idservice.http.limits import Limiter
from idservice.settings import Settings
from keys.fields import FieldCipher
from keys.ring import KeyRing, Purpose

T = TypeVar("T")


class _Compiled(BytecodeCache):
    """Templates that an application of this process has compiled: to compile one takes as long as a test."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get(self._key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[self._key(bucket)] = bucket.code

    def _key(self, bucket: Bucket) -> tuple[object, ...]:
        environment: Any = bucket.environment
        return environment.tongue, bucket.key, bucket.checksum


_compiled = _Compiled()
TWO_FACTORS = ("pwd", "otp", "mfa")
STAFF_LOGIN: dict[str, Any] = {"level": 2, "amr": TWO_FACTORS}  # what a caller with a post has to have shown
SYSTEM = Caller(channel="cli", client_id="test", all_departments=True)


def build_settings(tmp_path: Path, database_url: str, **changes: object) -> Settings:
    """Settings as the tests want them: loopback, keys in the test's own folder, no waiting for rate limits."""
    values: dict[str, object] = {
        "issuer": "http://127.0.0.1:8000",
        "database_url": database_url,
        "keys_dir": tmp_path / "keys",
        "insecure_loopback": True,
        "unthrottled_loopback": True,
        "log_level": "WARNING",
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


def build_keys(directory: Path) -> KeyRing:
    """A key ring with one active key for every purpose."""
    ring = KeyRing.open(directory, create=True)
    ring.ensure_all(datetime.now(UTC))
    return ring


def migrate(database_url: str) -> None:
    """Bring an empty database to the newest schema; the `prepare` of `Databases.fresh`."""
    database = Database(database_url)
    schema.upgrade(database)
    database.engine.dispose()


def build_house(tmp_path: Path, database_url: str, **changes: object) -> House:
    """The house without its web edge, over a database that has the schema."""
    config = build_settings(tmp_path, database_url, **changes)
    ring = build_keys(config.keys_dir)
    return House(config, Database(database_url), ring, FieldCipher(ring), Limiter(config))


def build_app(tmp_path: Path, database_url: str, **changes: object) -> Flask:
    """The whole application over a database that has the schema."""
    from wsgi import create_app

    config = build_settings(tmp_path, database_url, **changes)
    build_keys(config.keys_dir)
    app = create_app(config)
    app.jinja_env.bytecode_cache = _compiled
    app.testing = False  # a fault must be answered as in production, not raised into the test
    return app


def house_of(app: Flask) -> House:
    """The house an application was built with."""
    house: House = app.extensions["ona"]
    return house


def act(house: House, deed: Callable[[Call], T], *, caller: Caller = SYSTEM, now: datetime | None = None) -> T:
    """Run one verb in a transaction of its own and commit it."""

    def run(session: Session) -> T:
        return deed(Call(house, session, caller, now or datetime.now(UTC), "test"))

    return house.database.run(run, write=True)


__all__ = [
    "STAFF_LOGIN",
    "SYSTEM",
    "TWO_FACTORS",
    "Purpose",
    "act",
    "build_app",
    "build_house",
    "build_keys",
    "build_settings",
    "house_of",
    "migrate",
]
