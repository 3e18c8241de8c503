import base64
import hashlib
import random
from itertools import count

import pytest

from keys import note
from keys.note import Checkpoint, NoteError, Verifier
from keys.signer import Algorithm, eddsa_public, generate_private, load_private
from tests.unit.keys.cases import cases, vector

EXAMPLE = vector("note/example.json")
SIGNER = load_private(Algorithm.EDDSA, generate_private(Algorithm.EDDSA))
OURS = Verifier("log.example/audit", SIGNER.public)
TEXT = "log.example/audit\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
NOTE = note.sign(TEXT, name="log.example/audit", signer=SIGNER)


def line(name: str, signature: bytes) -> str:
    return f"— {name} {base64.b64encode(signature).decode()}\n"


def test_published_example():
    verifier = note.parse_vkey(EXAMPLE["vkey"])
    assert verifier.name == EXAMPLE["name"]
    assert verifier.vkey == EXAMPLE["vkey"]
    opened = note.verify(EXAMPLE["note"], [verifier])
    assert opened == note.Opened(EXAMPLE["text"], (EXAMPLE["name"],))


def test_sign_and_verify():
    assert note.verify(NOTE, [OURS]) == note.Opened(TEXT, ("log.example/audit",))
    assert NOTE.startswith(TEXT + "\n— log.example/audit ")
    assert note.parse_vkey(OURS.vkey).vkey == OURS.vkey


def test_text_may_have_empty_lines():
    text = "one\n\ntwo\n\n"
    assert note.verify(note.sign(text, name="log.example/audit", signer=SIGNER), [OURS]).text == text


def test_unknown_keys_are_passed_over_but_one_must_be_known():
    cosigned = NOTE + line("witness.example", b"\0" * 76) + line("log.example/audit", b"abcd" + bytes(64))
    assert note.verify(cosigned, [OURS]).names == ("log.example/audit",)
    with pytest.raises(NoteError, match="no known key"):
        note.verify(NOTE, [Verifier("other.example", SIGNER.public)])
    with pytest.raises(NoteError, match="no known key"):
        note.verify(NOTE, [])


def test_one_wrong_signature_of_a_known_key_spoils_the_note():
    with pytest.raises(NoteError, match="does not hold"):
        note.verify(NOTE + line("log.example/audit", OURS.id + bytes(64)), [OURS])


def test_two_known_keys():
    witness = load_private(Algorithm.EDDSA, generate_private(Algorithm.EDDSA))
    cosigned = NOTE + note.sign(TEXT, name="witness.example", signer=witness).rpartition("\n\n")[2]
    assert note.verify(cosigned, [Verifier("witness.example", witness.public), OURS]).names == (
        "log.example/audit",
        "witness.example",
    )


def test_sixteen_signatures_are_accepted_and_endless_ones_not():
    assert note.verify(NOTE + line("w", bytes(5000)) * 15, [OURS]).names == ("log.example/audit",)
    with pytest.raises(NoteError, match="too many"):
        note.verify(NOTE + line("w", bytes(68)) * 64, [OURS])
    with pytest.raises(NoteError, match="too long"):
        note.verify(NOTE + line("w", bytes(300_000)), [OURS])


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—"),
        NOTE.replace("\n— ", "\n—  "),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("7", "8"),
        NOTE.replace("7", "7\0"),
        NOTE.replace("7", "7\t"),
        NOTE.replace("7", "7\ud800"),
        NOTE + "— w AAAA\n",
        NOTE + "— w AAAA AAAAAAAA\n",
        NOTE + "— w+w AAAAAAAA\n",
        NOTE + "— w AAAAAAA\n",
        NOTE + "— w AAAAAB==\n",
        NOTE + "— w \n",
    ],
    ids=count(),
)
def test_broken_notes_are_refused(broken):
    with pytest.raises(NoteError):
        note.verify(broken, [OURS])


@pytest.mark.parametrize("text", ["", "no line feed", "tab\t\n", "\x7f\ud800\n", "x" * 300_000 + "\n"])
def test_what_is_no_text_is_not_signed(text):
    with pytest.raises(NoteError):
        note.sign(text, name="log.example", signer=SIGNER)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b", "a\n", "a\0", "\u200b", "x" * 256])
def test_bad_names(name):
    with pytest.raises(NoteError):
        Verifier(name, SIGNER.public)


def test_only_ed25519_signs_notes():
    es256 = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    with pytest.raises(NoteError):
        note.sign(TEXT, name="log.example", signer=es256)


def test_every_part_of_a_vkey_is_refused():
    vkey = EXAMPLE["vkey"]
    for start in range(len(vkey) + 1):
        for end in range(start, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(NoteError):
                    note.parse_vkey(vkey[start:end])


def test_mutated_vkeys_are_refused():
    source = random.Random(4)
    for _ in range(2000):
        characters = list(EXAMPLE["vkey"])
        characters[source.randrange(len(characters))] = chr(source.randrange(0x20, 0x7F))
        if "".join(characters) != EXAMPLE["vkey"]:
            with pytest.raises(NoteError):
                note.parse_vkey("".join(characters))


@pytest.mark.parametrize("key", [b"\x01" + bytes(31), b"\x01" + bytes(33), b"\x04" + bytes(32), b""])
def test_other_keys_are_no_vkeys(key):
    key_id = hashlib.sha256(b"log.example\n" + key).digest()[:4].hex()
    with pytest.raises(NoteError):
        note.parse_vkey(f"log.example+{key_id}+{base64.b64encode(key).decode()}")


def test_mutated_notes_are_refused():
    source = random.Random(1)
    for _ in range(3000):
        characters = list(NOTE)
        place = source.randrange(len(characters))
        characters[place : place + source.randint(0, 1)] = chr(source.choice([10, 32, 43, 0x2014, 61, 65, 66, 0x4E00]))
        mutant = "".join(characters)
        if mutant != NOTE:
            with pytest.raises(NoteError):
                note.verify(mutant, [OURS])


def test_checkpoint_both_ways():
    for checkpoint in (
        Checkpoint("log.example/audit", 0, bytes(32)),
        Checkpoint("日志.example", 2**62, b"\xff" * 32, ("extension", "另一行")),
    ):
        assert note.parse_checkpoint(checkpoint.body()) == checkpoint
    assert note.parse_checkpoint(TEXT) == Checkpoint("log.example/audit", 7, bytes(32))
    assert Checkpoint("log.example/audit", 7, bytes(32)).body() == TEXT


@cases(vector("note/checkpoints_refused.json"))
def test_checkpoint_refused(case):
    with pytest.raises(NoteError):
        note.parse_checkpoint(case["text"])


@pytest.mark.parametrize(
    "parts",
    [("", 1, bytes(32)), ("a\nb", 1, bytes(32)), ("a", -1, bytes(32)), ("a", 1, bytes(31)), ("a", 1, bytes(32), ("",))],
    ids=count(),
)
def test_no_such_checkpoint(parts):
    with pytest.raises(NoteError):
        Checkpoint(*parts)


def test_mutated_checkpoints_are_refused_or_written_the_same_way():
    source = random.Random(2)
    for _ in range(3000):
        characters = list(TEXT)
        characters[source.randrange(len(characters))] = chr(source.choice([10, 32, 43, 48, 57, 65, 0x661]))
        text = "".join(characters)
        try:
            assert note.parse_checkpoint(text).body() == text
        except NoteError:
            continue


def test_verifier_of_a_public_key_alone():
    raw = base64.urlsafe_b64decode(SIGNER.public.jwk()["x"] + "=")
    assert Verifier("log.example/audit", eddsa_public(raw)).vkey == OURS.vkey
