"""Collection: licences come in by file and in batches, are sealed afterwards, and sources hear what is wrong."""

import json
import secrets
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from idservice.call import Call
from idservice.models import AuditEntry
from keys import sm2
from keys.sm2 import sm3
from licences import identifier
from licences.asker import ANYBODY
from licences.collection import signing
from licences.collection.models import CollectedLicence
from licences.collection.rows import open_record
from licences.formats import portion
from licences.formats.portion import Tree
from licences.models import Licence
from licences.portion_models import SealPortion
from licences.scan import Scan
from licences.slices import EVERYTHING, Slice
from licences.verify import verify
from seals.stamp import Ready, Stamp
from tests.town import ALICE, BOB, CIVIL, COMPANY, OFFICER, SECURITY, STRANGER, Town, type_of

CODE = type_of("vocational_qualification").code
FIELDS = type_of("vocational_qualification").examples()


@pytest.fixture(autouse=True)
def nothing_waits(town: Town) -> None:
    town.act(lambda call: call.session.execute(delete(CollectedLicence)))


def row(number: str = "ZY-001", holder: str = BOB, **more: Any) -> dict[str, Any]:
    flat = {f"field.{name}": value for name, value in FIELDS.items()}
    return {
        "type": CODE,
        "holder": holder,
        "number": number,
        "valid_from": "20240105",
        "valid_until": "长期",
        **flat,
        **more,
    }


def bring_in(town: Town, folder: Path, rows: list[Any], *options: str, status: int = 0, name: str = "file") -> Any:
    path = folder / f"{name}.jsonl"
    lines = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in rows)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    done = town.app.test_cli_runner().invoke(args=["licences", "import", str(path), "--json", *options])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


def seal(town: Town, *options: str, status: int = 0) -> dict[str, int]:
    done = town.app.test_cli_runner().invoke(args=["licences", "sign", "--json", *options])
    assert done.exit_code == status, done.output
    found: dict[str, int] = json.loads(done.stdout)
    return found


def intend(town: Town, *, limit: int) -> list[signing.Prepared]:
    waiting = town.act(lambda call: signing.prepare(call, signing.waiting(call, EVERYTHING, after=None, limit=limit)))
    return town.act(lambda call: signing.intend(call, waiting))


def collected(town: Town, number: str) -> dict[str, Any]:
    where = f"/v1/collected-licences?department={SECURITY}&limit=200"
    listed = town.web.get(where, headers=town.machine("issuer")).json["items"]
    return next(item for item in listed if item["number"] == number)


def counts(found: dict[str, Any]) -> list[int]:
    return [found[name] for name in ("added", "changed", "unchanged", "rejected")]


def test_a_file_comes_in_and_is_sealed(town: Town, tmp_path: Path) -> None:
    assert counts(bring_in(town, tmp_path, [row()], "--dry-run")) == [1, 0, 0, 0]
    assert town.count(CollectedLicence) == 0
    assert counts(bring_in(town, tmp_path, [row()])) == [1, 0, 0, 0]
    assert counts(bring_in(town, tmp_path, [row()])) == [0, 0, 1, 0], "the same again changes nothing"
    assert collected(town, "ZY-001")["state"] == "waiting"
    assert seal(town) == {"signed": 1, "failed": 0}
    code = collected(town, "ZY-001")["identifier"]
    report = town.verify(code)
    assert (report["ok"], report["licence"]["valid_until"]) == (True, None)
    stored = town.web.get(f"/v1/licences/{code}", headers=town.machine("issuer")).json
    assert (stored["number"], stored["valid_from"], stored["fields"]) == ("ZY-001", "2024-01-05", FIELDS)
    assert seal(town) == {"signed": 0, "failed": 0}
    assert said(town) == {"number": "ZY-001"}, "what the licence says is kept once"
    assert counts(bring_in(town, tmp_path, [row()])) == [0, 0, 1, 0]
    assert seal(town) == {"signed": 0, "failed": 0}

    field = next(iter(FIELDS))
    other = row(**{f"field.{field}": type_of("vocational_qualification").fields[0].example})
    assert counts(bring_in(town, tmp_path, [other | {"valid_until": "2034-01-04"}])) == [0, 1, 0, 0]
    assert seal(town) == {"signed": 1, "failed": 0}
    newer = collected(town, "ZY-001")["identifier"]
    assert newer != code
    assert town.row(code).state == "replaced"
    assert str(town.row(newer).valid_until) == "2034-01-04"


def test_what_a_source_issued_keeps_its_day_and_is_found_by_its_identifier(town: Town, tmp_path: Path) -> None:
    foreign = "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0"
    given = row("ZY-900", issued_on="2019-03-04", valid_from="2019-03-05", valid_until="2039-03-04", identifier=foreign)
    bring_in(town, tmp_path, [given], name="foreign")
    assert seal(town) == {"signed": 1, "failed": 0}
    code = collected(town, "ZY-900")["identifier"]
    where = f"/v1/licences/{code}?form=metadata"
    stated = town.web.get(where, headers=town.machine("issuer")).json["metadata"]
    assert (stated["certificateIssuedDate"], stated["associatedCertIdentifier"]) == ("2019-03-04", foreign)
    assert "changeTime" not in stated
    report = town.verify(foreign)
    assert (report["ok"], report["licence"]["identifier"]) == (True, code)
    by_anybody = [town.act(lambda call, one=one: verify(call, Scan(text=one), ANYBODY)) for one in (code, foreign)]
    assert [len(one.licences) for one in by_anybody] == [1, 0], "nobody goes through a source's numbers unasked"

    bring_in(town, tmp_path, [given | {"valid_until": "长期"}], name="foreign")
    assert seal(town) == {"signed": 1, "failed": 0}
    newer = collected(town, "ZY-900")["identifier"]
    report = town.verify(foreign)
    assert (report["ok"], report["licence"]["identifier"], report["licence"]["valid_until"]) == (True, newer, None)
    assert town.verify(code)["reasons"] == ["replaced"]
    stated = town.web.get(f"/v1/licences/{newer}?form=metadata", headers=town.machine("issuer")).json["metadata"]
    assert (stated["certificateIssuedDate"], stated["associatedCertIdentifier"]) == ("2019-03-04", code)


def test_an_identifier_leads_to_one_licence_and_to_its_own_department(town: Town, tmp_path: Path) -> None:
    foreign = identifier.build(CODE, COMPANY, "TAKEN1", 1)
    others = identifier.build(CODE, CIVIL, "TAKEN2", 1)
    rows = [row("ZY-910", identifier=foreign), row("ZY-911", identifier=foreign), row("ZY-912", identifier=others)]
    bring_in(town, tmp_path, rows, name="taken")
    seal(town)
    bring_in(town, tmp_path, [row("ZY-913", identifier=foreign)], name="later")
    assert seal(town) == {"signed": 1, "failed": 0}
    found = town.verify(foreign)["licence"]["identifier"]
    assert found in {collected(town, "ZY-910")["identifier"], collected(town, "ZY-911")["identifier"]}
    assert town.verify(others)["reasons"] == ["issuer_unknown"], "nobody takes another department's identifier"


def said(town: Town) -> dict[str, Any]:
    """Return what the one collected row keeps of what its source said."""

    def read(call: Call) -> dict[str, Any]:
        kept = call.session.scalars(select(CollectedLicence)).one()
        return open_record(call.cipher, kept.source, kept.record_sealed)

    return town.act(read)


def test_bad_rows_are_rejected_with_reasons_and_cost_nothing_else(town: Town, tmp_path: Path) -> None:
    field = next(iter(FIELDS))
    foreign = "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.9"
    rows = [
        row("ZY-101"),
        row("ZY-102", holder=STRANGER),
        row("ZY-103", holder=BOB[:-1] + ("0" if BOB[-1] != "0" else "1")),
        row("ZY-104", holder=COMPANY),
        row("ZY-105", type="X"),
        row("ZY-106", department=CIVIL),
        row("ZY-107", valid_until="2020-02-30"),
        {name: value for name, value in row("ZY-108").items() if name != f"field.{field}"},
        row("ZY-109", **{f"field.{field}": "x" * 3000}),
        row("ZY-110", identifier=foreign),
        "not json",
        row("ZY-111", valid_until="2020-01-01"),
    ]
    found = bring_in(town, tmp_path, rows, status=1, name="bad")
    assert counts(found) == [2, 0, 0, 10]
    rejects = [json.loads(line) for line in Path(found["rejects"]).read_text("utf-8").splitlines()]
    assert {reject["line"]: reject["reasons"] for reject in rejects} == {
        2: ["holder_unknown"],
        3: ["holder_check_digit"],
        4: ["holder_kind"],
        5: ["type"],
        6: ["department"],
        7: ["valid_until"],
        8: [f"field.{field}:required"],
        9: [f"field.{field}:{'choice' if type_of('vocational_qualification').fields[0].choices else 'length'}"],
        11: ["json"],
        12: ["dates"],
    }
    assert collected(town, "ZY-110")["reason"] == "identifier_check", "a foreign identifier is noted, never refused"


def test_a_table_with_chinese_titles(town: Town, tmp_path: Path) -> None:
    kind = type_of("vocational_qualification")
    titles = ["持证主体代码", "证照编号", "有效期起始日期", *(field.title for field in kind.fields)]
    cells = [ALICE, "ZY-201", "2025-03-01", *(str(FIELDS[field.name]) for field in kind.fields)]
    path = tmp_path / "表.csv"
    path.write_text(f"{','.join(titles)}\n{','.join(cells)}\n", "gb18030")
    runner = town.app.test_cli_runner()
    done = runner.invoke(args=["licences", "import", str(path), "--type", kind.code, "--encoding", "gb18030", "--json"])
    assert (done.exit_code, counts(json.loads(done.stdout))) == (0, [1, 0, 0, 0]), done.output
    for wrong in (["--type", "X"], ["--department", "X"]):
        assert runner.invoke(args=["licences", "import", str(path), *wrong]).exit_code == 2


def test_what_cannot_be_sealed_says_why_and_waits_for_its_source(town: Town, tmp_path: Path) -> None:
    single = type_of("resident_card")
    town.issue("resident_card", ALICE)
    given = {f"field.{name}": value for name, value in single.examples().items()}
    bring_in(town, tmp_path, [{"type": single.code, "holder": ALICE, "number": "SFZ-1", **given}], name="single")
    assert seal(town, status=1)["failed"] == 1
    assert (collected(town, "SFZ-1")["state"], collected(town, "SFZ-1")["reason"]) == ("failed", "already_held")
    assert seal(town) == {"signed": 0, "failed": 0}
    assert seal(town, "--again", status=1)["failed"] == 1
    where = f"/v1/collection-quality?department={SECURITY}"
    figures = town.web.get(where, headers=town.machine("issuer")).json["items"]
    mine = next(item for item in figures if item["type"] == single.code)
    assert (mine["rows"], mine["failed"], mine["stale"]) == (1, 1, False)
    assert mine["reasons"] == [{"reason": "already_held", "rows": 1}]
    page = town.browser(OFFICER).open("/admin/quality")
    assert single.name in page.text
    assert "持证主体已有一份有效的此类证照" in page.text


def test_batches_answer_for_each_row(town: Town) -> None:
    good = {"type": CODE, "holder": BOB, "number": "ZY-301", "fields": FIELDS}
    body = {
        "department": SECURITY,
        "rows": [good, good | {"holder": "1"}, good, good | {"surprise": 1}, {"fields": [1]}],
    }
    answer = town.post("/v1/licence-batches", body)
    assert answer.status_code == 201, answer.text
    found = answer.json
    assert [found[name] for name in ("added", "changed", "unchanged", "refused")] == [1, 0, 0, 4]
    assert [(result["outcome"], result["reasons"]) for result in found["results"]] == [
        ("entered", []),
        ("refused", ["holder_length"]),
        ("refused", ["twice"]),
        ("refused", ["unknown:surprise"]),
        ("refused", ["type"]),
    ]
    assert town.post("/v1/licence-batches", {"department": SECURITY, "rows": [good]}).json["unchanged"] == 1
    assert town.post("/v1/licence-batches", body, town.machine("civil-issuer")).status_code == 403
    assert town.post("/v1/licence-batches", {"department": SECURITY, "rows": [good] * 501}).status_code == 422


def test_two_parts_share_the_work(town: Town, tmp_path: Path) -> None:
    bring_in(town, tmp_path, [row(f"ZY-4{n:02d}", holder=(ALICE, BOB)[n % 2]) for n in range(6)], name="parts")
    parts = [Slice.of(place, 3) for place in range(3)]
    assert (parts[0].first, parts[-1].end) == ("00000000", None)
    assert all(one.end == other.first for one, other in pairwise(parts))
    found = [town.act(lambda call, part=part: len(signing.waiting(call, part, after=None, limit=99))) for part in parts]
    waiting = select(CollectedLicence.source).where(CollectedLicence.state == "waiting")
    assert sum(found) == len(town.act(lambda call: call.session.scalars(waiting).all()))
    before = town.count(Licence)
    sealed = sum(seal(town, "--part", str(place), "3")["signed"] for place in range(3))
    assert town.count(Licence) - before == sealed == sum(found)


def test_what_was_killed_half_way_is_done_again_and_nothing_twice(town: Town, tmp_path: Path) -> None:
    rows = [row(f"ZY-5{n:02d}", holder=(ALICE, BOB)[n % 2]) for n in range(8)]
    bring_in(town, tmp_path, rows, name="killed")
    before = town.count(Licence)

    def announced() -> list[signing.Prepared]:
        return intend(town, limit=99)

    announced()  # and killed
    lost = town.act(partial(signing.sign, prepared=announced()))
    assert town.count(Licence) == before, "signed, and killed before it was stored"
    twice = [town.act(partial(signing.sign, prepared=announced())) for _ in range(2)]
    assert [town.act(partial(signing.store, prepared=made)) for made in (*twice, lost)] == [(8, 0), (0, 0), (0, 0)]
    assert town.count(Licence) == before + 8
    assert seal(town) == {"signed": 0, "failed": 0}
    found = town.app.test_cli_runner().invoke(args=["licences", "check", "--json"])
    assert (found.exit_code, json.loads(found.stdout)["wrong"]) == (0, 0), found.output


def test_a_row_whose_source_speaks_meanwhile_is_not_sealed_as_it_was(town: Town, tmp_path: Path) -> None:
    bring_in(town, tmp_path, [row("ZY-601")], name="first")
    found = intend(town, limit=9)
    made = town.act(partial(signing.sign, prepared=found))
    bring_in(town, tmp_path, [row("ZY-601", valid_until="2039-12-31")], name="second")
    assert town.act(partial(signing.store, prepared=made)) == (0, 0)
    assert seal(town) == {"signed": 1, "failed": 0}
    assert str(town.row(collected(town, "ZY-601")["identifier"]).valid_until) == "2039-12-31"


def test_a_portion_leaves_one_entry_for_each_step(town: Town, tmp_path: Path) -> None:
    bring_in(town, tmp_path, [row(f"ZY-7{n:02d}") for n in range(3)], name="entries")
    seal(town)
    codes = [collected(town, f"ZY-7{n:02d}")["identifier"] for n in range(3)]

    row_of = town.row(codes[0])
    assert row_of.portion_id is not None
    kept = town.act(lambda call: call.session.get_one(SealPortion, row_of.portion_id))
    named = {"portion": kept.portion_id.hex(), "licences": 3}
    noted = select(AuditEntry.deed, AuditEntry.facts).where(AuditEntry.facts.contains(named["portion"]))
    entries = {deed: json.loads(facts) for deed, facts in town.act(lambda call: call.session.execute(noted).all())}
    root = Tree(kept.size, kept.nodes).root.hex()
    assert entries == {
        "licences:licence:intend": named | {"seal": kept.seal_id, "root": root},
        "licences:licence:issue": named | {"digest": sm3("\n".join(sorted(codes)).encode()).hex()},
    }


@pytest.mark.parametrize("broken", ["seal", "leaf"])
def test_what_does_not_hold_is_not_stored(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    number = f"ZY-8-{broken}"
    bring_in(town, tmp_path, [row(number)], name=broken)
    other = sm2.sign(sm2.generate()[0], b"something else")
    with monkeypatch.context() as changed:
        if broken == "seal":
            changed.setattr(
                Ready, "stamp", lambda ready, _document, _name: Stamp(ready.seal_id, ready.sealed_at, other)
            )
        else:
            changed.setattr(portion, "nonce_of", lambda _seed: secrets.token_bytes(16))
        assert seal(town, status=1) == {"signed": 0, "failed": 1}
    assert (collected(town, number)["state"], collected(town, number)["reason"]) == ("failed", "rehearsal_failed")
    again = town.app.test_cli_runner().invoke(args=["licences", "sign", "--again", "--json"])
    assert json.loads(again.stdout)["signed"] == 1


def test_processes_share_the_sealing_and_the_checking(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "ONA_DATABASE_URL": town.house.settings.database_url,
        "ONA_KEYS_DIR": town.house.settings.keys_dir,
        "ONA_ISSUER": town.house.settings.issuer,
        "ONA_INSECURE_LOOPBACK": 1,
    }.items():
        monkeypatch.setenv(name, str(value))
    bring_in(town, tmp_path, [row(f"ZY-9{n:02d}", holder=(ALICE, BOB)[n % 2]) for n in range(6)], name="shared")
    assert seal(town, "--processes", "2") == {"signed": 6, "failed": 0}
    code = collected(town, "ZY-900")["identifier"]
    subject = town.row(code).subject

    def tamper(call: Any, signature: bytes | None) -> None:
        licence = call.session.get_one(Licence, (subject, code))
        licence.credential_signature = signature

    town.act(partial(tamper, signature=bytes(64)))
    rejects = tmp_path / "wrong.jsonl"
    command = ["licences", "check", "--json", "--processes", "2", "--rejects", str(rejects)]
    done = town.app.test_cli_runner().invoke(args=command)
    town.act(partial(tamper, signature=None))  # as it was: nobody has asked for a credential
    assert (done.exit_code, json.loads(done.stdout)) == (1, {"checked": town.count(Licence), "wrong": 1}), done.output
    assert [json.loads(line)["identifier"] for line in rejects.read_text("utf-8").splitlines()] == [code]


def test_a_source_is_asked_and_answers(town: Town) -> None:
    code = town.order()["identifier"]
    asked = town.post(
        "/v1/source-questions", {"identifier": code, "question": "坐落与登记簿不一致"}, town.machine("counter")
    )
    assert asked.status_code == 201, asked.text
    waiting = town.web.get(f"/v1/source-questions?department={SECURITY}", headers=town.machine("issuer")).json["items"]
    assert [item["question"] for item in waiting] == ["坐落与登记簿不一致"]
    where = f"/v1/source-questions/{asked.json['id']}/answers"
    assert town.post(where, {"answer": "right"}, town.machine("civil-issuer")).status_code == 404
    officer = town.browser(OFFICER)
    page = officer.open("/admin/quality")
    done = officer.submit(page, answer="corrected")
    assert "没有等待答复的反馈" in done.text
    assert town.post(where, {"answer": "right"}).json["code"] == "source_question_answered"


@pytest.mark.parametrize("path", ["collected-licences", "collection-quality", "source-questions"])
def test_lists_are_for_ones_own_department(town: Town, path: str) -> None:
    assert town.web.get(f"/v1/{path}?department={SECURITY}", headers=town.machine("civil-issuer")).status_code == 403
