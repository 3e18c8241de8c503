"""部门系统读取共享证照。A department's system finds, reads, downloads and verifies a licence (docs/sharing.md).

share_licence.py FILE HOLDER TYPE [FOLDER]: FILE is the demonstration's, with the client `share`. It needs no library.
Exit status: 0 the copy holds, 1 it does not, 2 nothing was found or allowed.
"""

import base64
import json
import sys
import urllib.parse
import urllib.request
from pathlib import Path

CAUSE = "不动产转移登记受理"
CITIZEN, ORGANISATION = "111", "001"


class Refused(Exception):
    """An operation said no; its status and message."""


class Sharing:
    """The interface as one client sees it."""

    def __init__(self, issuer: str, client: dict[str, str]) -> None:
        self._issuer, self._client = issuer, client
        self._token = self._get_token()

    def ask(self, operation: str, **data: object) -> dict:
        """Call an operation and return its data."""
        body = json.dumps({"head": {"accessId": self._client["client_id"]}, "data": {"useCause": CAUSE, **data}})
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        answer = json.loads(fetch(f"{self._issuer}/v1/sharing/{operation}", body.encode(), headers))
        if answer["head"]["status"] != 0:
            raise Refused(f"{operation}: {answer['head']['status']} {answer['head']['message']}")
        return answer["data"]

    def _get_token(self) -> str:
        metadata = json.loads(fetch(f"{self._issuer}/.well-known/oauth-authorization-server"))
        pair = f"{self._client['client_id']}:{self._client['client_secret']}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "licences.share"}).encode()
        return json.loads(fetch(metadata["token_endpoint"], form, headers))["access_token"]


def fetch(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310 (the address is the city's own)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return answer.read()


def main(file: str, holder: str, type_code: str, folder: str = ".") -> int:
    city = json.loads(Path(file).read_text("utf-8"))
    client = next(one for one in city["clients"] if one.get("name") == "share")
    sharing = Sharing(city["issuer"], client)
    whom = {"holderCode": holder, "holderCodeType": CITIZEN if holder[:17].isdigit() else ORGANISATION}
    try:
        found = sharing.ask("queryCertInfoByHolderCode", certificateTypeCode=type_code, **whom)["certificates"][0]
        code = found["certificateIdentifier"]
        print(f"{found['certificateName']} {code} {found['statusDescription']}")
        for name, value in sharing.ask("queryCertInfo", certificateIdentifier=code)["surfaceData"].items():
            print(f"  {name}: {value}")
        link = sharing.ask("downloadUrl", certificateIdentifier=code, fileType="ofd")
        copy = fetch(link["downloadUrl"])  # once, within ten minutes
        (Path(folder) / link["fileName"]).write_bytes(copy)
        print(f"{link['fileName']}: {link['certificateCopyCause']}，有效期至 {link['certificateCopyExpiringTime']}")
        checked = sharing.ask("verifyFile", fileData=base64.b64encode(copy).decode())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    print(checked["message"])
    return 0 if checked["result"] else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
