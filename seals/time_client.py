"""Ask a time-stamp authority over HTTP (RFC 3161 clause 3.4).

The address is the operator's own setting and often inside his network, so it may be a private one; nothing that a file
or a caller says ever leads here. Redirects are not followed, the answer is bounded in size and time.
"""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from keys.timestamp import MAX_TOKEN

SECONDS = 5.0
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class TimeClientError(Exception):
    """The authority did not answer as it must."""


def ask(url: str, request: bytes, *, seconds: float = SECONDS) -> bytes:
    """Post a TimeStampReq and return the TimeStampResp. Raise TimeClientError."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", path, body=request, headers={"Content-Type": QUERY, "Accept": REPLY})
        answer = connection.getresponse()
        body = answer.read(MAX_TOKEN + 1)
        status, media_type = answer.status, answer.headers.get_content_type()
    except (OSError, http.client.HTTPException) as error:
        raise TimeClientError(type(error).__name__) from error
    finally:
        connection.close()
    if status != http.client.OK or media_type != REPLY or len(body) > MAX_TOKEN:
        raise TimeClientError(f"status {status}, {media_type}, {len(body)} bytes")
    return body
