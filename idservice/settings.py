"""Settings: read once from environment variables with the prefix `ONA_`, typed, frozen, checked as a whole.

Every variable also has a `..._FILE` form that names a file holding the value (for secrets). An unknown `ONA_` name is
an error, because a misspelt setting that is silently ignored is how a service goes live with its default.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import EnvError, FileAwareEnv

PREFIX = "ONA_"
TEST_PREFIX = "ONA_TEST_"  # read by the test suite alone, ignored here

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_CREDIT_CODE = re.compile(r"[0-9A-Z]{18}")
_SENDER = re.compile(r"file:.+|python:[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class SettingsError(ValueError):
    """The environment does not make a safe configuration; the message lists every fault at once."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration of one process; the defaults are those of a first look on one machine."""

    issuer: str = "http://127.0.0.1:8000"
    credential_issuer: str | None = None
    database_url: str = "sqlite:///instance/ona.db"
    keys_dir: Path = Path("instance/keys")
    key_encryption_key: str | None = None
    pkcs11_module: Path | None = None
    pkcs11_token: str | None = None
    pkcs11_pin: str | None = None
    redis_url: str | None = None
    insecure_loopback: bool = False
    unthrottled_loopback: bool = False
    demo: bool = False
    ready_file: Path | None = None
    checkpoint_file: Path | None = None
    trust_anchors: Path | None = None
    seal_makers: Path | None = None
    seal_version: int = 4
    seal_office: str | None = None
    timestamp_url: str | None = None
    log_level: str = "INFO"
    log_json: bool = True
    metrics_token: str | None = None
    proxy_hops: int = 0
    client_certificate_header: str | None = None
    client_certificate_authorities: Path | None = None
    mtls_origin: str | None = None
    password_hashes_at_once: int = 2
    show_code_seconds: int = 60
    opaque_access_tokens: bool = False  # of our own API; a resource server's stand with it
    session_idle_minutes: int = 30
    session_hours: int = 12
    sms_sender: str | None = None
    person_checkers: Path | None = None
    wallet_makers: Path | None = None
    wallet_maker_anchors: Path | None = None

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the issuer."""
        url = urlsplit(self.issuer)
        return f"{url.scheme}://{url.netloc}"

    @property
    def signs_as(self) -> str:
        """Return the issuer that credentials name: it outlives a move of the service to another URL.

        Credentials are built again from their rows when they are asked for, so this must never change once one was
        issued; a service that moves keeps the old value in ONA_CREDENTIAL_ISSUER.
        """
        return self.credential_issuer or self.issuer


@lru_cache(maxsize=256)
def is_loopback(host: str | None) -> bool:
    """Return whether `host` (a name or address without port) is this machine itself."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def from_environment() -> Settings:
    """Build the settings from the process environment.

    Raises:
        SettingsError: a name is unknown, a value does not parse, or the whole would be unsafe.
    """
    _refuse_unknown()
    env = FileAwareEnv(eager=False, prefix=PREFIX, strip_whitespace=True)
    read: dict[str, Any] = {"bool": env.bool, "int": env.int, "Path": env.path, "Path | None": env.path}
    try:
        values = {f.name: read.get(str(f.type), env.str)(f.name.upper(), f.default) for f in fields(Settings)}
        env.seal()
    except (EnvError, ValueError) as error:
        raise SettingsError(str(error)) from None
    settings = Settings(**values)
    refuse_unsafe(settings)
    return settings


def _refuse_unknown() -> None:
    names = {PREFIX + f.name.upper() for f in fields(Settings)}
    known = names | {f"{name}_FILE" for name in names}
    given = {name for name in os.environ if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)}
    if unknown := sorted(given - known):
        raise SettingsError(f"unknown settings: {', '.join(unknown)}. Known: {', '.join(sorted(names))}")
    if twice := sorted(name for name in names if name in given and f"{name}_FILE" in given):
        raise SettingsError(f"set both as a value and as a file: {', '.join(twice)}. Keep one")


def refuse_unsafe(settings: Settings) -> None:
    """Refuse a configuration that would put people at risk.

    Raises:
        SettingsError: with every fault found.
    """
    issuer_host, is_http = _host_of(settings.issuer), settings.issuer.startswith("http://")
    is_local = is_loopback(issuer_host)
    rules = (
        (issuer_host is not None, "ONA_ISSUER must be scheme, host and port alone, without a path or a trailing slash"),
        (
            _host_of(settings.signs_as) is not None,
            "ONA_CREDENTIAL_ISSUER must be scheme, host and port alone, as ONA_ISSUER once was",
        ),
        (
            not is_http or (settings.insecure_loopback and is_local),
            "an http issuer is allowed only on loopback and with ONA_INSECURE_LOOPBACK=1",
        ),
        (
            is_local or not settings.unthrottled_loopback,
            "ONA_UNTHROTTLED_LOOPBACK=1 is for load tests on loopback only",
        ),
        (is_local or not settings.demo, "ONA_DEMO=1 publishes demonstration passwords and is for loopback only"),
        (
            settings.redis_url is None or settings.redis_url.startswith(("redis://", "rediss://")),
            "ONA_REDIS_URL must be a redis:// or rediss:// URL",
        ),
        (
            settings.log_level.upper() in logging.getLevelNamesMapping(),
            "ONA_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL",
        ),
        (
            len({settings.pkcs11_module is None, settings.pkcs11_token is None, settings.pkcs11_pin is None}) == 1,
            "ONA_PKCS11_MODULE, ONA_PKCS11_TOKEN and ONA_PKCS11_PIN belong together",
        ),
        (
            settings.seal_office is None or _CREDIT_CODE.fullmatch(settings.seal_office),
            "ONA_SEAL_OFFICE must be the credit code of a department",
        ),
        (settings.seal_version in {4, 5}, "ONA_SEAL_VERSION must be 4 (GB/T 38540-2020) or 5 (GM/T 0031-2025)"),
        (
            settings.timestamp_url is None or settings.timestamp_url.startswith(("http://", "https://")),
            "ONA_TIMESTAMP_URL must be an http:// or https:// URL",
        ),
        (settings.proxy_hops >= 0, "ONA_PROXY_HOPS must not be negative"),
        (
            settings.client_certificate_header is None
            or (settings.proxy_hops > 0 and _HEADER.fullmatch(settings.client_certificate_header) is not None),
            "ONA_CLIENT_CERTIFICATE_HEADER must name the one header that the proxies of ONA_PROXY_HOPS set",
        ),
        (
            settings.mtls_origin is None
            or (
                settings.mtls_origin.startswith("https://")
                and _host_of(settings.mtls_origin) is not None
                and settings.client_certificate_header is not None
            ),
            "ONA_MTLS_ORIGIN must be https, host and port alone, and needs ONA_CLIENT_CERTIFICATE_HEADER",
        ),
        (settings.password_hashes_at_once >= 1, "ONA_PASSWORD_HASHES_AT_ONCE must be at least 1"),
        (
            settings.sms_sender is None or _SENDER.fullmatch(settings.sms_sender) is not None,
            "ONA_SMS_SENDER must be file:PATH or python:MODULE:NAME",
        ),
        (1 <= settings.show_code_seconds <= 60, "ONA_SHOW_CODE_SECONDS must be 1 to 60"),
        (1 <= settings.session_idle_minutes <= 1440, "ONA_SESSION_IDLE_MINUTES must be 1 to 1440"),
        (1 <= settings.session_hours <= 24, "ONA_SESSION_HOURS must be 1 to 24"),
    )
    if faults := [fault for holds, fault in rules if not holds]:
        raise SettingsError("; ".join(faults))


def _host_of(origin: str) -> str | None:
    """Return the host of `scheme://host[:port]`, or None where the text is anything more, less or else."""
    if not _ORIGIN.fullmatch(origin):
        return None
    try:
        url, port = urlsplit(origin), urlsplit(origin).port
    except ValueError:
        return None
    return None if port == 0 else url.hostname
