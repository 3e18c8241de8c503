"""Read an OFD file with easyofd, in its own environment, and print what it found as JSON: easyofd_read.py FILE."""

import base64
import contextlib
import io
import json
import sys
from pathlib import Path

with contextlib.redirect_stdout(io.StringIO()):  # it talks while it reads
    from easyofd import OFD
    from loguru import logger

    logger.remove()
    document = OFD()
    document.read(base64.b64encode(Path(sys.argv[1]).read_bytes()).decode(), save_xml=False)
    pages = document.to_jpg()

found = document.data[0]
texts = [item["text"] for page in found["page_info"].values() for item in page["text_list"]]
seals = [
    {"boundary": seal["Boundary"], "signed": seal["SignedValue"]}
    for listed in found["signatures_page_id"].values()
    for seal in listed
]
answer = {"texts": texts, "seals": seals, "fonts": len(found["fonts"]), "pages": [page.size for page in pages]}
print(json.dumps(answer))  # noqa: T201 - its one output
