"""The floor: Flask alone, one constant JSON answer."""

from __future__ import annotations

from flask import Flask


def create_app() -> Flask:
    """Return the application."""
    app = Flask(__name__)

    @app.get("/")
    def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app
