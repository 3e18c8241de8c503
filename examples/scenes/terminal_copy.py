"""场景五：自助终端打印盖章副本。Scene 5: a terminal without a clerk prints a sealed copy.

    python examples/scenes/terminal_copy.py demo-data/demo.json

下班以后，市民在自助终端亮码，打出一份加盖电子印章的不动产权证副本。副本每页写着用途和有效期，谁都能核验真伪。
After hours a citizen shows a code to a terminal and takes a sealed copy home. What it is for and until when it holds
stand on every page, and anybody can verify it.
"""

from __future__ import annotations

import base64
import sys

from city import Asker, City, Refused, demand, run, tell, tell_looks

TYPE = "11379900DM0001032A001"
PURPOSE = "申请居住证，仅此一次（演示）"


def story(city: City) -> None:
    """Tell the scene; raises `Refused` or `WrongTurnError` where it goes wrong."""
    clerk = city.clerk("不动产登记窗口3号")
    terminal = city.system("counter")
    citizen = city.members["people"][0]
    phone = city.log_in(citizen, "openid licences.read licences.show accesses.read")
    title = phone.get(f"/v1/licences?type={TYPE}")["items"][0]["identifier"]
    operator = {"id_number": clerk["id_number"], "counter": "大厅自助终端7号"}
    asked = {"purpose": PURPOSE, "operator": operator, "department": clerk["department"]}

    tell("1. 遮盖的码只够核验，打不出副本。A code that shows a masked licence is enough to verify, not to print.")
    masked = phone.post("/v1/presentations", {"licences": [title]})["code"]
    _demand_refused(terminal, asked | {"text": masked}, "print_not_whole")

    tell("2. 市民选择给出全部内容，重新亮码，终端打出副本。He lets the whole face be read, and the terminal prints.")
    whole = {"licences": [title], "fields": ["holder_name", "holder_number", *_fields(city)]}
    code = phone.post("/v1/presentations", whole)["code"]
    copy = terminal.post("/v1/printed-copies", asked | {"text": code})
    document = base64.b64decode(copy["data"])
    demand(document.startswith(b"%PDF-"), "this is no PDF")
    tell(f"    {copy['name']}，{len(document)} 字节 bytes，有效期至 good until {copy['expires_at']}")

    tell("3. 码用过就作废，别人打不出第二份。The code is used up: nobody prints a second copy.")
    _demand_refused(terminal, asked | {"text": code}, "print_code_void")

    tell("4. 收到副本的单位核验：印章有效，内容未改。Whoever is handed the copy verifies it: sealed and unaltered.")
    report = city.upload("/v1/seal-verifications", copy["name"], document)
    demand(report["ok"] is True, str(report["reasons"]))
    tell(f"    签章人 signer: {report['signatures'][0]['signer']['name']}")

    tell("5. 改一个字节就露馅。One byte changed, and it shows.")
    middle = len(document) // 2
    forged = document[:middle] + bytes([document[middle] ^ 1]) + document[middle + 1 :]
    demand(city.upload("/v1/seal-verifications", copy["name"], forged)["ok"] is False, "a forgery went through")

    tell("6. 市民看到这次打印。The citizen sees that it was printed.")
    tell_looks(phone, how_many=1, act="licences:printed_copy:create")


def _fields(city: City) -> list[str]:
    kinds = city.call("GET", "/v1/licence-types")["items"]
    return [field["name"] for field in next(kind for kind in kinds if kind["code"] == TYPE)["fields"]]


def _demand_refused(terminal: Asker, body: dict, code: str) -> None:
    try:
        terminal.post("/v1/printed-copies", body)
    except Refused as refusal:
        demand(refusal.code == code, str(refusal))
        tell(f"    {refusal}")
    else:
        demand(holds=False, what="a copy was printed that should not have been")


if __name__ == "__main__":
    sys.exit(run(story))
