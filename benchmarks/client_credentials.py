"""A token for a client on its own (RFC 6749 section 4.4), authenticated by a secret, beside Authlib's sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import servers, wrk
from benchmarks.peers import authlib_sample
from benchmarks.request import form
from benchmarks.rounds import Figure, alternate, cost, median, ratio

if TYPE_CHECKING:
    from benchmarks.bench import Bench

_EXPECTED = '"access_token"'


def measure(bench: Bench) -> dict[str, Figure]:
    """Return CPU time of a token and tokens a second."""
    ours, city = bench.ours
    wanted = city.token_request("counter", "verifications.create")
    database = bench.folder / "authlib.db"
    authlib_sample.prepare(f"sqlite:///{database}")
    environment = {authlib_sample.DATABASE: f"sqlite:///{database}", "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with servers.granian("benchmarks.peers.authlib_sample:create_app", bench.folder, environment) as peer:
        theirs = form(
            "/oauth/token",
            {"grant_type": "client_credentials", "scope": authlib_sample.SCOPE},
            user=authlib_sample.CLIENT,
            password=authlib_sample.SECRET,
        )
        found = alternate(
            {
                "ours": lambda: cost(
                    ours, lambda: wrk.send(ours.url, [wanted], seconds=bench.seconds, expected=_EXPECTED)
                ),
                "authlib": lambda: cost(
                    peer, lambda: wrk.send(peer.url, [theirs], seconds=bench.seconds, expected=_EXPECTED)
                ),
            },
            bench.rounds,
        )
    rates = {name: [one.rate for one in costs] for name, costs in found.items()}
    spent = {name: [one.cpu_ms for one in costs] for name, costs in found.items()}
    return {
        "client_credentials_cpu": Figure(
            median(spent["ours"]),
            "CPU ms",
            reference=median(spent["authlib"]),
            ratio_reference=ratio(spent["authlib"], spent["ours"]),
            goal="ours <= 0.5, ratio_reference >= 4",
        ),
        "client_credentials": Figure(
            median(rates["ours"]),
            "tokens/s",
            reference=median(rates["authlib"]),
            ratio_reference=ratio(rates["ours"], rates["authlib"]),
        ),
    }
