"""The roof: builds the application from settings, key ring, database and the rooms. Importing it has no side effect."""

from __future__ import annotations

import gc
import importlib
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask
from flask.cli import AppGroup
from werkzeug.middleware.proxy_fix import ProxyFix

import idservice.pages
import idservice.routes
import licences.pages.blueprints
import licences.routes
import seals.pages
import seals.routes
from idservice import language, settings, type_size
from idservice.call import House
from idservice.db import Database
from idservice.errors import Problem
from idservice.http import current, forms, headers, logs, metrics, openapi, problems
from idservice.http.application import Application
from idservice.http.limits import Limiter
from idservice.key_ring import open_ring
from keys.fields import FieldCipher
from keys.ring import Purpose, RingError

if TYPE_CHECKING:
    import click

    from idservice.settings import Settings

HERE = Path(__file__).parent
ROOMS = (idservice, seals, licences)
PAGES = (idservice.pages, seals.pages, licences.pages.blueprints)


class Commands(AppGroup):
    """The operator commands of the rooms, loaded when somebody asks for a command: a worker needs none of them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        self._load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        self._load()
        return super().list_commands(ctx)

    def _load(self) -> None:
        for room in ROOMS:
            for command in importlib.import_module(f"{room.__name__}.cli").GROUPS:
                self.add_command(command)


def create_app(chosen: Settings | None = None) -> Flask:
    """Build the application.

    Under the `flask` command it may come without settings or keys: then it has its commands (`flask keys new` makes
    the ring, `flask demo` everything) and fails every request.

    Args:
        chosen: the settings; None reads them from the environment.

    Raises:
        SettingsError: the settings would be unsafe.
        RingError: the key ring is missing; `flask keys new` makes one.
    """
    app = Application(
        __name__, static_folder=str(HERE / "idservice/static"), template_folder=str(HERE / "idservice/templates")
    )
    app.cli = Commands(app.name)
    try:
        _furnish(app, chosen or settings.from_environment())
    except (settings.SettingsError, RingError) as error:
        if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
            raise
        _fail_every_request(app, error)
    return app


def create_server_app() -> Flask:
    """Build the application in a process that answers requests and does nothing else, as `deploy/` starts it.

    What stands until the end is kept out of the garbage collector's way, which would look through it for nothing.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    return app


def _furnish(app: Application, config: Settings) -> None:
    logs.configure(config)
    ring = open_ring(config)
    app.config.update(
        SECRET_KEY=ring.secret(Purpose.SESSION),
        **forms.CONFIG,
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        MAX_FORM_PARTS=100,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.name_host(urlsplit(config.issuer).netloc)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["ona"] = House(config, Database(config.database_url), ring, FieldCipher(ring), Limiter(config))
    if config.proxy_hops:  # exactly as many as there are: one more, and a caller forges his own address
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxy_hops, x_proto=config.proxy_hops)  # type: ignore[method-assign]
    _install(app, config)


def _install(app: Application, config: Settings) -> None:
    @app.before_request
    def name_request() -> None:
        # A name and no secret: asking the kernel for it would be a twentieth of the shortest requests.
        current.kept().request_id = f"{random.getrandbits(64):016x}"
        if "\0" in current.asked().environ["PATH_INFO"]:
            raise Problem("bad_request", "The address holds U+0000.")

    metrics.install(app, config)
    headers.install(app, config)
    problems.install(app)
    language.install(app)
    type_size.install(app)
    csrf = forms.FormProtection(app, app.extensions["ona"].keys)
    api = openapi.install(app, config)
    for room, pages in zip(ROOMS, PAGES, strict=True):
        for blueprint in room.routes.BLUEPRINTS:
            api.register_blueprint(blueprint)
            csrf.exempt(blueprint)  # bearer tokens are not sent by browsers of their own accord
        for blueprint in room.routes.PLAIN_BLUEPRINTS:
            app.register_blueprint(blueprint)
            csrf.exempt(blueprint)
        for blueprint in pages.BLUEPRINTS:
            app.register_blueprint(blueprint)


def _fail_every_request(app: Flask, reason: Exception) -> None:
    @app.before_request
    def fail() -> None:
        raise reason
