"""What every OpenID provider does, at ours and at those of other makers in the same run.

Token, introspection, key set, discovery, and a whole login. All take turns, round by round. oidc-provider is one
process with a memory store that keeps nothing over a restart: the bar for speed, not an equal service. Ours, the
Authlib sample and django-oauth-toolkit are two workers each, on SQLite forced to the disk at every commit.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks import flow, peer_servers, wrk
from benchmarks.bench import fetch
from benchmarks.peer_servers import NotHereError, Provider
from benchmarks.request import get
from benchmarks.rounds import Cost, Figure, alternate, cost, median, ratio
from benchmarks.thread_rate import rate
from idservice.login import password

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench
    from benchmarks.servers import Server

LONGEST: Final = 2  # seconds of one load: there are seventeen in a round
FLOW_PROCESSES: Final = 2
SCOPE: Final = "verifications.create"
_READS: Final = 0.2  # nothing is put off by what only reads
_PEERS: Final = {
    "oidc_provider": peer_servers.oidc_provider,
    "authlib": peer_servers.authlib,
    "django": peer_servers.django,
}
_GOALS: Final = {
    "token": {"oidc_provider": 1.0},
    "introspection": {"oidc_provider": 0.65},
    "jwks": {"oidc_provider": 0.65},
    "discovery": {"oidc_provider": 0.65},
    "flow": {"oidc_provider": 0.8},
}
_ELSE: Final = 4.0  # beside those who keep what they issue

Loads = dict[str, "Callable[[], Cost]"]


def measure(bench: Bench) -> dict[str, Figure]:
    """Return CPU time and requests a second of each deed, beside each peer that offers it."""
    seconds = min(bench.seconds, LONGEST)
    with contextlib.ExitStack() as running:
        providers = {"ours": _ours(bench)}
        for name, start in _PEERS.items():
            try:
                providers[name] = running.enter_context(start(bench.folder))
            except NotHereError as error:
                print(f"without {name}: {error}", file=sys.stderr)
        pool = running.enter_context(
            ProcessPoolExecutor(FLOW_PROCESSES, mp_context=multiprocessing.get_context("spawn"))
        )
        deeds = {
            "token": _each(providers, lambda one: _token(one, seconds)),
            "introspection": _each(providers, lambda one: _introspection(one, seconds)),
            "jwks": _each(providers, lambda one: _read(one.server, one.jwks, seconds, '"keys"')),
            "discovery": _each(providers, lambda one: _read(one.server, one.discovery, seconds, '"issuer"')),
            "flow": _each(providers, lambda one: _flow(pool, one, seconds)),
        }
        targets = {(deed, name): load for deed, loads in deeds.items() for name, load in loads.items()}
        found = alternate(targets, bench.rounds)
    figures: dict[str, Figure] = {}
    for deed, loads in deeds.items():
        for peer in loads.keys() - {"ours"}:
            figures |= _figures(deed, peer, found[deed, "ours"], found[deed, peer])
    return dict(sorted(figures.items())) | {"password_hash_cpu": _password_hash(bench.rounds)}


def _each(
    providers: Mapping[str, Provider], make: Callable[[Provider], Callable[[], Cost] | None]
) -> dict[str, Callable[[], Cost]]:
    return {name: load for name, one in providers.items() if (load := make(one)) is not None}


def _figures(deed: str, peer: str, ours: list[Cost], theirs: list[Cost]) -> dict[str, Figure]:
    spent, their_cpu = [one.cpu_ms for one in ours], [one.cpu_ms for one in theirs]
    rates, their_rates = [one.rate for one in ours], [one.rate for one in theirs]
    unit = "logins/s" if deed == "flow" else "requests/s"
    return {
        f"{deed}_beside_{peer}_cpu": Figure(
            median(spent),
            "CPU ms",
            reference=median(their_cpu),
            ratio_reference=ratio(their_cpu, spent),
            goal=f"ratio_reference >= {_GOALS[deed].get(peer, _ELSE)}",
        ),
        f"{deed}_beside_{peer}": Figure(
            median(rates), unit, reference=median(their_rates), ratio_reference=ratio(rates, their_rates)
        ),
    }


def _ours(bench: Bench) -> Provider:
    server, city = bench.ours
    return Provider(
        server,
        token=city.token_request("counter", SCOPE),
        introspected=partial(city.introspection_request, "counter"),
        jwks="/.well-known/jwks.json",
        discovery="/.well-known/openid-configuration",
        site=city.site(bench.house),
    )


def _token(one: Provider, seconds: int) -> Callable[[], Cost]:
    return lambda: cost(
        one.server,
        lambda: wrk.send(one.server.url, [one.token], seconds=seconds, expected='"access_token"'),
        settled=True,
    )


def _introspection(one: Provider, seconds: int) -> Callable[[], Cost] | None:
    asked = one.introspected
    if asked is None:
        return None
    server = replace(one.server, puts_off=_READS)

    def load() -> Cost:
        token = json.loads(fetch(server.url, one.to_introspect or one.token))["access_token"]
        request = asked(token)
        answer = json.loads(fetch(server.url, request))
        if answer.get("active") is not True:
            raise wrk.LoadError(f"the token is not active at {server.url}")
        return cost(server, lambda: wrk.send(server.url, [request], seconds=seconds, expected='"active"'))

    return load


def _read(known: Server, path: str | None, seconds: int, expected: str) -> Callable[[], Cost] | None:
    if path is None:
        return None
    server = replace(known, puts_off=_READS)
    return lambda: cost(server, lambda: wrk.send(server.url, [get(path)], seconds=seconds, expected=expected))


def _flow(pool: ProcessPoolExecutor, one: Provider, seconds: int) -> Callable[[], Cost] | None:
    site = one.site
    if site is None:
        return None

    def load() -> wrk.Load:
        done = [each.result() for each in [pool.submit(flow.run, site, seconds) for _ in range(FLOW_PROCESSES)]]
        if trouble := next((each.trouble for each in done if each.trouble), ""):
            raise wrk.LoadError(f"a login at {site.url} failed: {trouble}")
        return wrk.Load(sum(each.flows for each in done), max(each.seconds for each in done), 0.0, 0.0)

    return lambda: cost(one.server, load, settled=True)


def _password_hash(rounds: int) -> Figure:
    """Return what checking a password costs on top of a login: slowness that is meant."""
    known = password._hasher.hash(b"a password")  # noqa: SLF001 - with the parameters of the service
    found = alternate({"ours": lambda: rate(lambda: password._hasher.verify(known, b"a password"))}, rounds)  # noqa: SLF001
    return Figure(1000 / median(found["ours"]), "CPU ms")
