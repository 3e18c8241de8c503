"""The providers of other makers beside ours, each installed and started by the bench itself.

What is not a library of this project is installed into the run's own folder, from a lock with hashes: oidc-provider by
npm, django-oauth-toolkit by pip. A peer that cannot be installed here is left out, and the run says so.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import servers
from benchmarks.flow import Site
from benchmarks.peers import authlib_sample
from benchmarks.request import Request, form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.servers import Server

PEERS: Final = Path(__file__).with_name("peers")
SECRET: Final = authlib_sample.SECRET
CALLBACK: Final = "http://127.0.0.1:9/cb"  # nobody is there: the flow reads where it would lead
_RESOURCE: Final = "urn:bench:api"
_SECONDS_TO_INSTALL: Final = 240


class NotHereError(RuntimeError):
    """The peer cannot be run on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that runs, and what is asked of it; what it does not offer is None."""

    server: Server
    token: Request
    introspected: Callable[[str], Request] | None = None
    to_introspect: Request | None = None  # by which the token that is introspected is got, if not by `token`
    jwks: str | None = None
    discovery: str | None = None
    site: Site | None = None


@contextlib.contextmanager
def oidc_provider(folder: Path) -> Iterator[Provider]:
    """Run the npm package oidc-provider, one process: its memory store is not shared between processes."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotHereError("oidc-provider needs Node.js with npm")
    place = folder / "oidc_provider"
    shutil.copytree(PEERS / "oidc_provider", place)
    _install([npm, "ci", "--loglevel=error"], place)
    stated = {"client": "bench", "secret": SECRET, "redirect_uri": CALLBACK, "resource": _RESOURCE, "scope": "api"}
    with servers.served([node, "serve.mjs", "{port}", json.dumps(stated)], folder, where=place) as server:
        by = {"user": "bench", "password": SECRET}
        asked = {"grant_type": "client_credentials", "scope": "api"}
        yield Provider(
            server,
            token=form("/token", {**asked, "resource": _RESOURCE}, **by),
            to_introspect=form("/token", asked, **by),  # it introspects opaque tokens only
            introspected=lambda token: form("/token/introspection", {"token": token}, **by),
            jwks="/jwks",
            discovery="/.well-known/openid-configuration",
            site=Site(server.url, "/auth", "/token", "bench", SECRET, CALLBACK, (("user", "any"),)),
        )


@contextlib.contextmanager
def authlib(folder: Path) -> Iterator[Provider]:
    """Run Authlib's sample: a token endpoint and an introspection endpoint, no more."""
    database = f"sqlite:///{folder / 'authlib_provider.db'}"
    authlib_sample.prepare(database)
    environment = {authlib_sample.DATABASE: database, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with servers.granian("benchmarks.peers.authlib_sample:create_app", folder, environment) as server:
        by = {"user": authlib_sample.CLIENT, "password": SECRET}
        yield Provider(
            server,
            token=form("/oauth/token", {"grant_type": "client_credentials", "scope": authlib_sample.SCOPE}, **by),
            introspected=lambda token: form("/oauth/introspect", {"token": token}, **by),
        )


@contextlib.contextmanager
def django(folder: Path) -> Iterator[Provider]:
    """Run django-oauth-toolkit in a virtual environment of its own."""
    python = own_interpreter(folder, "django_toolkit")
    environment = {"SAMPLE_DATABASE": str(folder / "django.db"), "SAMPLE_KEY": _rsa_key()}
    _install([python, str(PEERS / "django_toolkit.py")], folder, environment)
    command = [python, *servers.GRANIAN, "django_toolkit:app"]
    with servers.served(command, folder, environment, where=PEERS) as server:
        by = {"user": "bench", "password": SECRET}
        people = (("user", "a-password-for-benchmarks"),)
        app = ("/o/authorize/", "/o/token/", "bench-app", SECRET, CALLBACK)
        yield Provider(
            server,
            token=form("/o/token/", {"grant_type": "client_credentials", "scope": "api introspection"}, **by),
            introspected=lambda token: form("/o/introspect/", {"token": token}, **by),
            jwks="/o/.well-known/jwks.json",
            discovery="/o/.well-known/openid-configuration",
            site=Site(server.url, *app, people, buttons={"allow": "Authorize"}),
        )


def own_interpreter(folder: Path, name: str) -> str:
    """Return the interpreter of a virtual environment that holds what `peers/<name>.txt` locks, and nothing else."""
    place = folder / name
    _install([sys.executable, "-m", "venv", str(place)], folder)
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    _install([*pip, "-r", str(PEERS / f"{name}.txt")], folder)
    return python


def _rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)  # it signs ID tokens with RS256 only
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


def _install(command: list[str], where: Path, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=where,
            env={**servers.inherited(), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_INSTALL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        raise NotHereError(f"{' '.join(command[:4])}: {(done.stderr or done.stdout).strip()[-400:]}")
