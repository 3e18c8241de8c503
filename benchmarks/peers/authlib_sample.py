"""A token endpoint as Authlib's guide builds one: its mixins on SQLAlchemy tables, opaque tokens, a secret in plain.

It keeps its tokens as durably as ours its deeds: SQLite with a write-ahead log, forced to the disk at every commit.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import (
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_query_client_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Flask
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

if TYPE_CHECKING:
    from flask import Response

DATABASE: Final = "SAMPLE_DATABASE"
CLIENT: Final = "bench"
SECRET: Final = "a-secret-for-benchmarks-of-48-characters-in-all."
SCOPE: Final = "api"


class Base(DeclarativeBase):
    """The sample's tables."""


class Client(Base, OAuth2ClientMixin):  # type: ignore[misc]
    """A registered client."""

    __tablename__ = "client"
    id: Mapped[int] = mapped_column(primary_key=True)


class Token(Base, OAuth2TokenMixin):  # type: ignore[misc]
    """An issued token."""

    __tablename__ = "token"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]


def create_app() -> Flask:
    """Return the sample on the database that the environment names."""
    app = Flask(__name__)
    session = scoped_session(sessionmaker(_engine(os.environ[DATABASE])))
    server = AuthorizationServer(
        app, query_client=create_query_client_func(session, Client), save_token=create_save_token_func(session, Token)
    )
    server.register_grant(ClientCredentialsGrant)

    @app.get("/")
    def ready() -> str:
        return "ready"

    @app.post("/oauth/token")
    def issue_token() -> Response:
        response: Response = server.create_token_response()
        return response

    @app.teardown_appcontext
    def end_session(_error: BaseException | None) -> None:
        session.remove()

    return app


def prepare(url: str) -> None:
    """Create the tables at `url`, and the one client."""
    engine = _engine(url)
    Base.metadata.create_all(engine)
    client = Client(client_id=CLIENT, client_secret=SECRET, client_id_issued_at=int(time.time()))
    client.set_client_metadata(
        {
            "grant_types": ["client_credentials"],
            "scope": SCOPE,
            "token_endpoint_auth_method": "client_secret_basic",
        }
    )
    with sessionmaker(engine)() as session:
        session.add(client)
        session.commit()
    engine.dispose()


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def keep_word(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
