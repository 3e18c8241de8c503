"""Walk D: a seal is applied for, approved, made, kept, used on documents by its officers, and reconciled."""

import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from PIL import Image
from sqlalchemy import func, select

from idservice import expiry
from idservice.call import Call
from idservice.models import Staff
from keys.sm2 import sm3
from seals.check import check_file
from seals.models import SealApplication, SealDraft, SealIntent, SealUse
from seals.verify import read_anchors
from tests.identity import Browser, Page
from tests.town import AGENT, ALICE, CIVIL, CLERK, OFFICER, SECURITY, Town, now
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack
from tests.unit.seals.pdfs import document


@pytest.fixture(scope="module")
def second(town: Town) -> Browser:
    """A second officer of the same department."""
    town.act(lambda call: call.session.merge(Staff(subject=town.subjects[AGENT], department=SECURITY, role="officer")))
    return town.browser(AGENT)


@pytest.fixture(scope="module")
def officer(town: Town, second: Browser) -> Browser:
    return town.browser(OFFICER)


def post(browser: Browser, page: Page, where: str, **values: str) -> Page:
    """Post one of several forms of a page."""
    return browser.open(where, {"csrf_token": page.form["values"]["csrf_token"], **values})


def hand_in(browser: Browser, seal_id: str, files: dict[str, bytes], **values: str) -> Any:
    form = browser.open(f"/seals/{seal_id}/use")
    assert form.status == 200
    data = {"csrf_token": form.form["values"]["csrf_token"], "purpose": "函件", **values}
    parts = [(io.BytesIO(content), name) for name, content in files.items()]
    return browser.client.post(
        f"/seals/{seal_id}/use",
        data={**data, "files": parts},
        content_type="multipart/form-data",
        headers={"Accept": "text/html"},
    )


def handed_in(browser: Browser, seal_id: str, files: dict[str, bytes], **values: str) -> str:
    answer = hand_in(browser, seal_id, files, **values)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def count(town: Town, table: type) -> int:
    return int(town.act(lambda call: call.session.scalar(select(func.count()).select_from(table))) or 0)


def confirmed(browser: Browser, where: str) -> Page:
    return browser.submit(browser.open(where))


# --- a seal comes to be --------------------------------------------------------------------------------------------


def test_two_officers_bring_a_seal_into_being(town: Town, officer: Browser, second: Browser) -> None:
    form = officer.open("/seals/apply")
    assert "data:image/svg+xml;base64," in form.text
    before = count(town, SealApplication)
    filled = {"department": SECURITY, "kind": "special", "special": "户籍专用章", "reason": "启用新业务"}
    assert officer.submit(form, **filled, preview="1").status == 200
    blank = officer.submit(form, **{**filled, "reason": "", "special": "公安局"})
    assert blank.status == 422
    assert 'id="reason-error"' in blank.text
    wrong = officer.submit(form, **{**filled, "special": "公安局"})
    assert wrong.status == 422
    assert 'id="special-error"' in wrong.text
    assert count(town, SealApplication) == before
    shown = officer.submit(form, **filled)
    seal_id = shown.url.rsplit("/", 1)[1]
    assert re.fullmatch(r"990100[0-9]{8}", seal_id)
    assert "待审批" in shown.text
    assert "申请人自己不能审批" in shown.text
    assert officer.submit(form, **filled).url == shown.url, "the same form posted twice applies once"
    own = post(officer, officer.open("/seals/apply"), f"/seals/{seal_id}/changes", change="approve", reason="自批")
    assert own.status == 403
    waiting = second.open("/seals")
    assert seal_id in waiting.text
    decided = second.submit(second.open(f"/seals/{seal_id}"), change="approve", reason="同意")
    assert "已批准，待制作" in decided.text
    made = officer.submit(officer.open(f"/seals/{seal_id}"), change="make", reason="制作")
    assert made.status == 200
    assert "使用中" in made.text
    assert "data:image/png;base64," in made.text
    for name in ("周**", "李**"):
        assert name in made.text
    assert "周主任" not in made.text


def test_a_picture_follows_the_form(officer: Browser, town: Town) -> None:
    query = f"department={SECURITY}&kind=contract&number=2"
    answer = officer.client.get(f"/seals/preview.svg?{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert "合同专用章(2)" in answer.text
    for wrong, status in ((f"department={CIVIL}", 403), (f"department={SECURITY}&kind=special&special=x", 422)):
        assert officer.client.get(f"/seals/preview.svg?{wrong}").status_code == status
    assert town.browser(CLERK).client.get(f"/seals/preview.svg?{query}").status_code == 403


@pytest.mark.parametrize("number", [ALICE, CLERK])
def test_the_register_is_closed_to_others(town: Town, number: str) -> None:
    browser, seal_id = town.browser(number), town.seals[SECURITY]
    for where in ("/seals", "/seals/apply", f"/seals/{seal_id}", f"/seals/{seal_id}/use"):
        assert browser.open(where).status == 403
    assert browser.open(f"/seals/drafts/{'0' * 32}").status == 404
    changes, users = {"change": "suspend", "reason": "x"}, {"who": number}
    for address, form in ((f"/seals/{seal_id}/changes", changes), (f"/seals/{seal_id}/users", users)):
        assert post(browser, browser.open("/verify/seal"), address, **form).status == 403


def test_an_officer_does_not_reach_other_departments(officer: Browser, town: Town) -> None:
    assert town.seals[CIVIL] not in officer.open("/seals").text
    for where in (f"/seals/{town.seals[CIVIL]}", f"/seals/{town.seals[CIVIL]}/use"):
        assert officer.open(where).status == 403
    assert officer.open("/seals/00000000000000").status == 404


# --- use -----------------------------------------------------------------------------------------------------------


def test_documents_are_looked_at_confirmed_and_taken(town: Town, officer: Browser) -> None:
    seal_id, letter, paper = town.seals[SECURITY], "关于演示的函".encode(), pack(document_files())
    uses = count(town, SealUse)
    where = handed_in(officer, seal_id, {"letter.txt": letter, "paper.ofd": paper}, on_behalf="孙演示")
    page = officer.open(where)
    for digest in (sm3(letter).hex(), sm3(paper).hex()):
        assert " ".join(re.findall("........", digest)) in page.text
    assert count(town, SealUse) == uses, "nothing is sealed before the confirmation"
    done = officer.submit(page)
    assert done.url == where
    assert done.text.count("已盖章") == 2
    assert count(town, SealUse) == uses + 2
    packed = officer.client.get(f"{where}/all.zip")
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert sorted(archive.namelist()) == ["letter.txt.ses", "paper.sealed.ofd"]
        signature, sealed = archive.read("letter.txt.ses"), archive.read("paper.sealed.ofd")
    roots = town.act(read_anchors)
    assert check_file(signature, document=letter, anchors=roots, now=now()).ok
    assert check_file(sealed, anchors=roots, now=now()).ok
    single = re.findall(rf'href="({where}/[0-9a-f]{{32}})"', done.text)
    assert officer.client.get(single[0]).data == signature
    again = post(officer, officer.open("/seals/apply"), where)
    assert again.url == where
    assert count(town, SealUse) == uses + 2, "a batch is sealed once"
    book = officer.open(f"/seals/{seal_id}")
    assert "孙演示" in book.text


def test_a_batch_goes_on_in_steps(town: Town, officer: Browser) -> None:
    files = {f"{number}.txt": str(number).encode() for number in range(12)}
    where = handed_in(officer, town.seals[SECURITY], files)
    first = confirmed(officer, where)
    assert '<progress class="ona-progress" id="progress" max="12" value="10">' in first.text
    assert "继续盖章（还有 2 份）" in first.text
    second = officer.submit(first)
    assert 'value="12"' in second.text
    assert second.text.count("已盖章") == 12


def test_a_batch_whose_seal_was_suspended_meanwhile_says_so(town: Town, officer: Browser) -> None:
    seal_id = town.seals[SECURITY]
    where = handed_in(officer, seal_id, {"a.txt": b"a"})
    change = {"reason": "演示"}
    officer.submit(officer.open(f"/seals/{seal_id}"), change="suspend", **change)
    done = confirmed(officer, where)
    assert "未能盖章" in done.text
    assert "seal_not_in_force" in done.text
    officer.submit(officer.open(f"/seals/{seal_id}"), change="resume", **change)


def test_the_first_page_of_a_pdf_is_shown(town: Town, officer: Browser) -> None:
    where = handed_in(officer, town.seals[SECURITY], {"letter.pdf": document()})
    address = re.findall(r'src="(/seals/drafts/[^"]+first-page.png)"', officer.open(where).text)
    answer = officer.client.get(address[0])
    assert answer.mimetype == "image/png"
    assert Image.open(io.BytesIO(answer.data)).width > 100
    done = confirmed(officer, where)
    assert "letter.sealed.pdf" in done.text
    assert officer.client.get(f"{where}/all.zip").status_code == 200


def test_drafts_are_their_officers_own_and_end(town: Town, officer: Browser, second: Browser) -> None:
    where = handed_in(officer, town.seals[SECURITY], {"a.txt": b"a"})
    draft = town.act(lambda call: call.session.scalars(select(SealDraft).order_by(SealDraft.expires_at.desc())).first())
    for address in (where, f"{where}/{draft.draft_id}", f"{where}/all.zip", f"{where}/{draft.draft_id}/first-page.png"):
        assert second.open(address).status == 404
    assert officer.open(f"{where}/{draft.draft_id}").status == 404  # not sealed, so there is no result
    assert b"a.txt" not in draft.name_sealed
    with time_machine.travel(now() + timedelta(minutes=16)):
        assert officer.open(where).status == 404
    expiry.sweep(town.house, now() + timedelta(minutes=16))
    assert town.act(lambda call: call.session.get(SealDraft, (draft.subject, draft.draft_id))) is None


@pytest.mark.parametrize(
    ("files", "values", "field"),
    [({}, {}, "files"), ({"a.txt": b"a"}, {"purpose": " "}, "purpose"), ({"a.ofd": b"no ofd"}, {}, "files")],
)
def test_what_cannot_be_handed_in_is_named(
    town: Town, officer: Browser, files: dict[str, bytes], values: dict[str, str], field: str
) -> None:
    answer = hand_in(officer, town.seals[SECURITY], files, **values)
    assert answer.status_code in {200, 422}
    assert f'id="{field}-error"' in answer.text
    assert count(town, SealDraft) == count(town, SealDraft)


def test_too_many_files_at_once(town: Town, officer: Browser) -> None:
    before = count(town, SealDraft)
    answer = hand_in(officer, town.seals[SECURITY], {f"{n}.txt": b"x" for n in range(51)})
    assert answer.status_code == 422
    assert count(town, SealDraft) == before


# --- custody -------------------------------------------------------------------------------------------------------


def test_a_named_officer_alone_uses_the_seal(town: Town, officer: Browser, second: Browser) -> None:
    made = town.app.test_cli_runner().invoke(args=["seals", "make", SECURITY, "--special", "演示专用章", "--json"])
    seal_id = json.loads(made.stdout)["id"]
    page = officer.open(f"/seals/{seal_id}")
    assert post(officer, page, f"/seals/{seal_id}/users", who="x").status == 422
    named = post(officer, page, f"/seals/{seal_id}/users", who=AGENT)
    assert named.status == 200
    assert "李**" in named.text
    assert AGENT not in named.text
    refused = hand_in(officer, seal_id, {"a.txt": b"a"})
    assert refused.status_code == 403
    assert "未获授权使用这枚印章" in refused.text
    assert "已盖章" in confirmed(second, handed_in(second, seal_id, {"a.txt": b"a"})).text


# --- the operator --------------------------------------------------------------------------------------------------


def test_the_operator_seals_a_folder(town: Town, tmp_path: Path) -> None:
    for name, data in (("a.txt", b"a"), ("b.ofd", pack(document_files())), ("c.ofd", b"broken")):
        (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / name) for name in ("a.txt", "b.ofd", "c.ofd", "none.txt")]
    out = tmp_path / "out"
    arguments = ["seals", "batch", town.seals[CIVIL], *files, "--purpose", "函件", "--out", str(out), "--json"]
    done = town.app.test_cli_runner().invoke(args=arguments)
    assert done.exit_code == 1, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("error") for line in lines] == [None, None, "document_refused", "No such file or directory"]
    assert sorted(path.name for path in out.iterdir()) == ["a.txt.ses", "b.sealed.ofd"]
    roots = town.act(read_anchors)
    assert check_file((out / "a.txt.ses").read_bytes(), document=b"a", anchors=roots, now=now()).ok
    assert "4/4" in done.stderr
    again = town.app.test_cli_runner().invoke(args=[*arguments[:4], *arguments[7:]])
    assert again.exit_code == 1, "results are not written over"


def test_the_signers_counts_agree_with_uses_and_licences(town: Town) -> None:
    town.issue()
    agreed = town.app.test_cli_runner().invoke(args=["seals", "reconcile", "--json"])
    assert agreed.exit_code == 0, agreed.output
    found = {row["seal_id"]: row for row in map(json.loads, agreed.stdout.splitlines())}
    assert found[town.seals[SECURITY]]["recorded"] > 2
    for _ in range(2 + count_unfinished(town)):
        town.house.keys.seal_signer(town.seals[SECURITY]).sign(b"behind the register's back")
    shown = town.app.test_cli_runner().invoke(args=["seals", "reconcile"])
    assert shown.exit_code == 1
    assert f"{town.seals[SECURITY]} more" in shown.stdout
    accepted = town.app.test_cli_runner().invoke(args=["seals", "reconcile", "--accept", "演练"])
    assert accepted.exit_code == 0
    assert town.app.test_cli_runner().invoke(args=["seals", "reconcile"]).exit_code == 0


def count_unfinished(town: Town) -> int:
    def unfinished(call: Call) -> int:
        return call.session.scalar(select(func.count()).where(SealIntent.done_at.is_(None))) or 0

    return town.act(unfinished)


def test_a_department_gets_a_new_name_and_needs_a_new_seal(town: Town) -> None:
    run = town.app.test_cli_runner()
    done = run.invoke(args=["seals", "rename", CIVIL, "示范市民政和社会工作局", "--json"])
    assert done.exit_code == 0, done.output
    assert town.seals[CIVIL] in json.loads(done.stdout)["retired"]
    refused = run.invoke(args=["seals", "change", town.seals[CIVIL], "resume", "--reason", "演示"])
    assert refused.exit_code == 2
    assert "不允许此变更" in refused.stderr
