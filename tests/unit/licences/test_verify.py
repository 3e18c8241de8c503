"""The verifier against forgeries: ten thousand mutants each of show codes and of credentials, and none is accepted."""

import base64
import itertools
import random
import string
from collections.abc import Iterator
from typing import Any

import pytest

from idservice.call import Call
from keys.base64url import b64u, unb64u
from licences import artefacts, show, verify
from licences.asker import Asker
from licences.change import find
from licences.scan import Scan
from tests.town import ALICE, Town

MUTANTS = 10_000
ASKER = Asker("孙**", "演示窗口", None, None, None, "演示")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    return town.issue().identifier


@pytest.fixture(scope="module")
def credential(town: Town, title: str) -> str:
    return town.act(lambda call: artefacts.credential(call, find(call, title)))


def judge(town: Town, texts: list[str]) -> list[verify.Report]:
    return town.act(lambda call: [verify.verify(call, Scan(text=text), ASKER) for text in texts])


def show_codes(town: Town, title: str, count: int) -> list[str]:
    def deed(call: Call) -> list[str]:
        return [show.show(call, {"licences": [title]}).code for _ in range(count)]

    return town.act(deed, caller=town.caller(ALICE))


def mutant(rng: random.Random, text: str, alphabet: str) -> str:
    """Return `text` with one to three small changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(text))
        change = rng.randrange(7)
        if change == 0:
            text = text[:at] + rng.choice(alphabet) + text[at + 1 :]
        elif change == 1:
            text = text[:at] + rng.choice(alphabet) + text[at:]
        elif change == 2:
            text = text[:at] + text[at + 1 :]
        elif change == 3:
            text = text[:at] + text[at:][1:2] + text[at : at + 1] + text[at + 2 :]
        elif change == 4:
            text = text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]
        elif change == 5:
            text = text[: at + 1]
        else:
            text = text[:at] + text[at : at + rng.randrange(1, 9)] + text[at:]
        text = text or "0"
    return text


def test_no_mutant_of_a_show_code_is_accepted(town: Town, title: str) -> None:
    rng = random.Random(130)
    codes = show_codes(town, title, 100)
    texts = [mutant(rng, rng.choice(codes), string.ascii_letters + string.digits + "-_!，　") for _ in range(MUTANTS)]
    # What a keyboard, a scanner or a clipboard does to a whole code is no change of it.
    texts = [text for text in texts if text.split() not in [[code] for code in codes]]
    assert len(texts) > MUTANTS * 0.9
    assert [report for report in judge(town, texts) if report.ok or report.licences] == []
    assert all(report.ok for report in judge(town, codes)), "and none of them used a code up"


def test_no_mutant_of_a_credential_is_accepted(town: Town, credential: str) -> None:
    rng = random.Random(9901)
    parts = credential.split("~")
    alphabet = string.ascii_letters + string.digits + "-_.~=+/ \n"
    texts = [mutant(rng, credential, alphabet) for _ in range(MUTANTS)]
    texts = [text for text in texts if not is_presentation(text.strip(), parts)]
    assert len(texts) > MUTANTS * 0.9
    assert [text for text, report in zip(texts, judge(town, texts), strict=True) if report.ok or report.licences] == []
    assert judge(town, [credential])[0].ok


def is_presentation(text: str, parts: list[str]) -> bool:
    """Tell whether a text is the credential with some disclosures left out, as its holder may do."""
    jwt, *disclosures = text.split("~")
    return jwt == parts[0] and disclosures[-1:] == [""] and set(disclosures) <= set(parts[1:]) and no_pairs(disclosures)


def no_pairs(disclosures: list[str]) -> bool:
    return len(set(disclosures)) == len(disclosures)


def test_another_writing_of_the_same_credential_is_refused(town: Town, credential: str) -> None:
    for name, text in equivalents(credential):
        report = judge(town, [text])[0]
        assert not report.ok, name
        assert not report.licences, name


def equivalents(credential: str) -> Iterator[tuple[str, str]]:
    jwt, *disclosures = credential.split("~")
    head, payload, signature = jwt.split(".")
    tail = "~".join(["", *disclosures])
    yield "padding", f"{head}.{payload}.{signature}=={tail}"
    yield "standard alphabet", f"{head}.{payload}.{signature.replace('-', '+').replace('_', '/')}!{tail}"
    spaced = b64u(b" " + unb64u(payload))
    yield "white space in the payload", f"{head}.{spaced}.{signature}{tail}"
    yield "white space in the header", f"{b64u(unb64u(head) + b' ')}.{payload}.{signature}{tail}"
    yield "line break", f"{head}.{payload}.\n{signature}{tail}"
    yield "full width", credential.replace(".", "．")
    yield "words before it", "see " + credential
    yield "words after it", credential + " thanks"
    yield "disclosure twice", f"{jwt}~{disclosures[0]}{tail}"
    yield "empty disclosure", f"{jwt}~{tail}"
    yield "key binding", credential + signature
    r, s = unb64u(signature)[:32], int.from_bytes(unb64u(signature)[32:], "big")
    other = b64u(r + (P256_ORDER - s).to_bytes(32, "big"))
    yield "the other signature of the same", f"{head}.{payload}.{other}{tail}"
    for name, piece in (("signature", signature), ("disclosure", disclosures[0]), ("payload", payload)):
        for twin in twins(piece):
            yield f"stray bits in the {name}", credential.replace(piece, twin)


def twins(piece: str) -> list[str]:
    """Return other texts that a lenient decoder reads as the same bytes."""
    padded = "=" * (-len(piece) % 4)
    raw = base64.urlsafe_b64decode(piece + padded)
    alphabet = string.ascii_letters + string.digits + "-_"
    candidates = (piece[:-1] + last for last in alphabet if last != piece[-1])
    return [text for text in candidates if base64.urlsafe_b64decode(text + padded) == raw]


def test_the_list_of_equivalents_holds_some_of_each_kind(credential: str) -> None:
    kinds = {name.split(" in ")[0] for name, _ in equivalents(credential)}
    assert {"padding", "stray bits", "the other signature of the same"} <= kinds
    assert all(text != credential for _, text in equivalents(credential))


def test_a_credential_of_another_licence_does_not_carry_over(town: Town, credential: str) -> None:
    second = town.issue()
    other = town.act(lambda call: artefacts.credential(call, find(call, second.identifier)))
    jwt, *disclosures = other.split("~")
    for mixed in itertools.islice(itertools.product([credential.split("~", maxsplit=1)[0]], disclosures[:-1]), 5):
        assert not judge(town, ["~".join([*mixed, ""])])[0].ok
    assert judge(town, [other])[0].licences[0]["identifier"] == second.identifier
    assert jwt != credential.split("~", maxsplit=1)[0]


@pytest.mark.parametrize(
    "text", ["", " ", "x", "eyJ~", "~", "eyJhbGciOiJub25lIn0.e30.~", "1.2.156.3005.2.", "x" * 65_537, "\u202e" * 50]
)
def test_anything_else_is_a_report_and_no_error(town: Town, text: str) -> None:
    report = judge(town, [text])[0]
    assert (report.ok, report.licences) == (False, [])
    assert report.reasons or report.checks


def test_every_verification_is_audited_once(town: Town, title: str) -> None:
    def count(call: Call) -> int:
        return len(call.audit_ids)

    def one(text: str) -> Any:
        def deed(call: Call) -> int:
            verify.verify(call, Scan(text=text), ASKER)
            return count(call)

        return town.act(deed)

    code = show_codes(town, title, 1)[0]
    assert [one(text) for text in (code, code, title, "nonsense")] == [1, 1, 1, 1]
