"""Queries and presentations made at random, right ones and wrong ones, for two readers to agree on."""

import copy
import random
from typing import Any

from licences.wallets.presentation.dcql import JWT_VC, MDOC, SD_JWT
from licences.wallets.presentation.dcql_match import Candidate

NAMES = ("a", "b", "c", "list", "deep")
VALUES: tuple[Any, ...] = (
    "x",
    "y",
    1,
    0,
    True,
    False,
    ["x", "y"],
    {"n": 1, "list": ["x", {"n": "y"}]},
    [[1, 2], ["x"]],
)
TYPES = ("urn:t:1", "urn:t:2")
SPACES = ("s1", "s2")


def query(rng: random.Random) -> dict[str, Any]:
    """Return a query that the language allows."""
    names = [f"q{n}" for n in range(rng.randint(1, 3))]
    found: dict[str, Any] = {"credentials": [_credential(rng, name) for name in names]}
    if rng.random() < 0.4:
        sets = [_options(rng, names) for _ in range(rng.randint(1, 2))]
        found["credential_sets"] = sets
    return found


def _options(rng: random.Random, names: list[str]) -> dict[str, Any]:
    options = [rng.sample(names, rng.randint(1, len(names))) for _ in range(rng.randint(1, 2))]
    return {"options": options, **({"required": False} if rng.random() < 0.3 else {})}


def _credential(rng: random.Random, name: str) -> dict[str, Any]:
    kind = rng.choice((SD_JWT, MDOC, JWT_VC))
    found: dict[str, Any] = {"id": name, "format": kind, "meta": _meta(rng, kind)}
    if rng.random() < 0.8:
        claims = [_claim(rng, kind) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.4:
            ids = [f"c{n}" for n in range(len(claims))]
            claims = [{"id": i, **claim} for i, claim in zip(ids, claims, strict=True)]
            found["claim_sets"] = [rng.sample(ids, rng.randint(1, len(ids))) for _ in range(rng.randint(1, 2))]
        found["claims"] = claims
    if rng.random() < 0.3:
        found["trusted_authorities"] = [{"type": "aki", "values": rng.sample(["k1", "k2"], rng.randint(1, 2))}]
    if rng.random() < 0.2:
        found["multiple"] = rng.choice((True, False))
    if rng.random() < 0.2:
        found["require_cryptographic_holder_binding"] = rng.choice((True, False))
    return found


def _meta(rng: random.Random, kind: str) -> dict[str, Any]:
    if kind == MDOC:
        return {"doctype_value": rng.choice(TYPES)}
    if kind == SD_JWT:
        return {"vct_values": rng.sample(TYPES, rng.randint(1, 2))}
    return {"type_values": [rng.sample(TYPES, rng.randint(1, 2)) for _ in range(rng.randint(1, 2))]}


def _claim(rng: random.Random, kind: str) -> dict[str, Any]:
    if kind == MDOC:
        return {"path": [rng.choice(SPACES), rng.choice(NAMES)]}
    path: list[Any] = [rng.choice(NAMES)]
    while len(path) < 6 and rng.random() < 0.4:
        path.append(rng.choice(("list", "n", None, 0, 1)))
    return {
        "path": path,
        **({"values": rng.sample(["x", "y", 1, True], rng.randint(1, 2))} if rng.random() < 0.3 else {}),
    }


def broken(rng: random.Random, good: dict[str, Any]) -> dict[str, Any]:
    """Return the query with one thing wrong somewhere."""
    bad = copy.deepcopy(good)
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key, inner in list(value.items()) if isinstance(value, dict) else enumerate(value):
            places.append((value, key))
            if isinstance(inner, (dict, list)):
                walk(inner)

    walk(bad)
    holder, key = rng.choice(places)
    holder[key] = rng.choice(([], {}, "", "!", -1, 1.5, [[]], [""], [None], None))
    return bad


def presented(rng: random.Random, stated: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return presentations for some of the queries, in the words of the other reader."""
    found = {}
    for one in stated["credentials"]:
        if rng.random() < 0.85:
            count = 2 if rng.random() < 0.1 else 1
            found[one["id"]] = [_presentation(rng, one) for _ in range(count)]
    return found


def _presentation(rng: random.Random, one: dict[str, Any]) -> dict[str, Any]:
    kind = one["format"] if rng.random() < 0.95 else rng.choice((SD_JWT, MDOC))
    claims = {name: rng.choice(VALUES) for name in NAMES if rng.random() < 0.85}
    found: dict[str, Any] = {"credential_format": kind, "cryptographic_holder_binding": rng.random() < 0.9}
    if kind == MDOC:
        found |= {"doctype": rng.choice(TYPES), "namespaces": {s: claims for s in SPACES if rng.random() < 0.9}}
    elif kind == SD_JWT:
        found |= {"vct": rng.choice(TYPES), "claims": claims}
    else:
        found |= {"type": rng.sample(TYPES, rng.randint(1, 2)), "claims": claims}
    if rng.random() < 0.7:
        found["authority"] = {"type": "aki", "values": [rng.choice(("k1", "k2", "k3"))]}
    return found


def candidate(one: dict[str, Any]) -> Candidate:
    """Return the same presentation in our words."""
    types = {
        "mso_mdoc": lambda: [one["doctype"]],
        "dc+sd-jwt": lambda: [one["vct"]],
        "jwt_vc_json": lambda: one["type"],
    }
    authority = one.get("authority")
    return Candidate(
        one["credential_format"],
        frozenset(types[one["credential_format"]]()),
        one.get("namespaces", one.get("claims", {})),
        is_bound=one["cryptographic_holder_binding"],
        authorities=frozenset((authority["type"], v) for v in authority["values"]) if authority else frozenset(),
    )
