"""Results come back as files under their own names."""

import pytest
from flask import Flask

from seals.draft_pages import _download


@pytest.mark.parametrize("name", ["letter.txt.ses", "关于演示的函.sealed.ofd", 'a"b;c.ses'])
def test_a_result_is_a_download_under_its_name(name: str) -> None:
    with Flask("test").test_request_context():
        response = _download(name, b"data")
        response.direct_passthrough = False
        assert response.get_data() == b"data"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.mimetype == "application/octet-stream"
        response.close()
