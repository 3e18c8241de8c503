"""A minimal OFD document, complete enough to be sealed: GB/T 33190-2016."""

from tests.unit.seals.made import OFD


def document_files(*, pages: int = 1, box: str = "0 0 210 297", folder: str = "Doc_0") -> dict[str, bytes]:
    """Return the files of an OFD without a seal."""
    entries = "".join(f'<ofd:Page ID="{n + 1}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(pages))
    files = {
        "OFD.xml": (
            f'<ofd:OFD xmlns:ofd="{OFD}" Version="1.0" DocType="OFD"><ofd:DocBody>'
            f"<ofd:DocInfo><ofd:DocID>{'0' * 32}</ofd:DocID></ofd:DocInfo>"
            f"<ofd:DocRoot>{folder}/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
        ).encode(),
        f"{folder}/Document.xml": (
            f'<ofd:Document xmlns:ofd="{OFD}"><ofd:CommonData><ofd:MaxUnitID>{pages + 100}</ofd:MaxUnitID>'
            f"<ofd:PageArea><ofd:PhysicalBox>{box}</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData>"
            f"<ofd:Pages>{entries}</ofd:Pages></ofd:Document>"
        ).encode(),
    }
    for number in range(pages):
        files[f"{folder}/Pages/Page_{number}/Content.xml"] = (
            f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content><ofd:Layer ID="{100 + number}"/></ofd:Content></ofd:Page>'
        ).encode()
    return files
