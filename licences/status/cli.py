"""`flask status`: publish the status lists and the trust bundle."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from licences.status import publisher
from licences.status.publish import NotPublishedError

if TYPE_CHECKING:
    from idservice.call import House

CANNOT = 2

status = AppGroup("status", help="状态列表 Status lists.")


@status.command()
@click.option("--once", is_flag=True, help="只发布一次 One pass, then end.")
@with_appcontext
def publish(once: bool) -> None:
    """发布状态列表与信任包 Publish the status lists and the trust bundle whenever they change, until stopped."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        click.echo("未能完成 Could not be done: there are no usable settings or no key ring: flask keys new", err=True)
        sys.exit(CANNOT)
    if not once:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: stop.set())
        publisher.run_forever(house, stop)
        return
    try:
        click.echo(publisher.publish_all(house, datetime.now(UTC)))
    except NotPublishedError as error:
        click.echo(f"未能完成 Could not be done: {str(error).splitlines()[0]}", err=True)
        sys.exit(CANNOT)
