"""Token and introspection endpoint as Authlib's guide builds them: its mixins on SQLAlchemy tables, opaque tokens.

The client's secret lies there in plain. Tokens are kept as durably as the deeds of ours: SQLite with a write-ahead log,
forced to the disk at every commit.
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
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask
from sqlalchemy import Engine, create_engine, event, select
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
    server.register_endpoint(_introspection(session))

    @app.get("/")
    def ready() -> str:
        return "ready"

    @app.post("/oauth/token")
    def issue_token() -> Response:
        response: Response = server.create_token_response()
        return response

    @app.post("/oauth/introspect")
    def introspect() -> Response:
        response: Response = server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME)
        return response

    @app.teardown_appcontext
    def end_session(_error: BaseException | None) -> None:
        session.remove()

    return app


def _introspection(session: scoped_session[Any]) -> type[IntrospectionEndpoint]:
    class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
        def query_token(self, token_string: str, _hint: str | None) -> Token | None:
            return session.scalar(select(Token).where(Token.access_token == token_string))

        def check_permission(self, _token: Token, _client: Client, _request: object) -> bool:
            return True

        def introspect_token(self, token: Token) -> dict[str, Any]:
            return {
                "active": not token.is_expired(),
                "client_id": token.client_id,
                "token_type": token.token_type,
                "scope": token.get_scope(),
                "iat": token.issued_at,
                "exp": token.issued_at + token.expires_in,
            }

    return Introspection


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
