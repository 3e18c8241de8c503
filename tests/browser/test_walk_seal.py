"""A department verifies a sealed document: as it was sealed, altered, and without a seal."""

from pathlib import Path

from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor


def sealed(live: Live, holder: Visitor) -> tuple[bytes, bytes]:
    """A licence's sealed record and its seal, as its holder downloads them."""
    place = f"{live.url}/me/licences/{live.citizen(10)['licences'][0]}"
    return tuple(holder.context.request.get(f"{place}/{name}").body() for name in ("record.json", "seal.dat"))


def verify(visitor: Visitor, seal: bytes, document: bytes | None) -> str:
    octets = "application/octet-stream"
    visitor.open("/verify/seal")
    visitor.page.set_input_files("input[name=file]", FilePayload(name="seal.dat", mimeType=octets, buffer=seal))
    if document is not None:
        chosen = FilePayload(name="record.json", mimeType=octets, buffer=document)
        visitor.page.set_input_files("input[name=document]", chosen)
    visitor.assert_sound()
    visitor.submit()
    return str(visitor.page.locator(".ona-band__word").inner_text())


def test_seal_is_verified_on_the_public_page(live: Live, visit: Visit):
    holder, department = visit(), visit()
    holder.log_in(live.citizen(10))
    record, seal = sealed(live, holder)

    assert verify(department, seal, record) == "印章有效"
    results = department.page.locator(".ona-check__result").all_inner_texts()
    assert len(results) >= 8
    assert set(results) <= {"通过", "未能检查"}
    expect(department.page.locator("main")).to_contain_text(live.members["departments"][0]["name"])
    department.assert_sound()

    altered = record.replace(b"2", b"3", 1)
    assert altered != record
    assert verify(department, seal, altered) == "文件已被改动"
    failed = department.page.locator(".ona-check", has_text="不通过")
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("文件完整")
    department.assert_sound()

    assert verify(department, record, None) == "无法核验"
    expect(department.page.locator(".ona-band")).to_contain_text("没有找到电子印章")


def test_the_demonstrations_documents_have_the_verdicts_that_are_promised(live: Live, visit: Visit):
    visitor = visit()
    for one in live.members["document_verdicts"]:
        visitor.open("/verify/seal")
        visitor.page.set_input_files("input[name=file]", one["path"])
        if "document" in one:
            visitor.page.set_input_files("input[name=document]", one["document"])
        visitor.submit()
        assert (visitor.page.locator(".ona-band__word").inner_text() == "印章有效") is one["ok"], one["about"]
    assert len(live.members["documents"]) == 3


def test_a_large_file_shows_its_way_and_gives_the_same_answer(live: Live, visit: Visit):
    visitor = visit()
    letter = Path(live.members["documents"][1]).read_bytes()
    large = FilePayload(name="large.ofd", mimeType="application/ofd", buffer=letter + b"\0" * (2 << 20))
    visitor.open("/verify/seal")
    visitor.page.set_input_files("input[name=file]", large)
    visitor.page.locator("[data-seal-verify] button[type=submit]").press("Enter")  # by keyboard
    expect(visitor.page.locator(".ona-band__word")).to_have_text("无法核验")
    expect(visitor.page.locator("main")).to_be_focused()
    visitor.page.set_input_files("input[name=file]", live.members["documents"][1])
    visitor.submit()
    assert visitor.page.locator(".ona-band__word").inner_text() == "印章有效"
    visitor.assert_sound()
