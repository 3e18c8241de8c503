"""场景一：空手办电。Scene 1: connecting a home to the power grid with nothing in hand.

    python examples/scenes/power_connection.py demo-data/demo.json

市民带着手机来到窗口，什么证明也不带。他亮一个码，窗口查到他是谁、房子是不是他的，别的一概查不到。
A citizen comes with his phone and no paper. He shows a code; the counter learns who he is and that the home is his,
and nothing else.
"""

from __future__ import annotations

import sys

from city import City, Refused, demand, look_up, run, tell, tell_looks

MATTER = "DM-M-001"


def story(city: City) -> None:
    """Tell the scene; raises `Refused` or `WrongTurnError` where it goes wrong."""
    clerk = city.clerk("不动产登记窗口3号")
    counter = city.system("counter")
    citizen = city.members["people"][0]

    tell("1. 市民用身份证号登录手机应用。The citizen logs in with his number.")
    phone = city.log_in(citizen, "openid licences.show accesses.read")

    tell("2. 他为“居民用电报装”亮码，码里只有这个事项要用的证照。He shows a code for this matter alone.")
    code = phone.post("/v1/presentations", {"matter": MATTER})["code"]

    tell("3. 窗口多要一项，被拒绝并指明。The counter asks for more than the matter needs, and is refused by name.")
    try:
        look_up(counter, MATTER, clerk, citizen["id_number"], {"code": code}, fields={"property": ["area"]})
    except Refused as refusal:
        demand(refusal.code == "fields_exceeded", str(refusal))
        tell(f"    {refusal}")
    else:
        demand(holds=False, what="the counter got more than the matter needs")

    tell("4. 窗口照清单查询；被拒绝没有用掉这个码。It looks up what is listed; the refusal left the code good.")
    proofs = look_up(counter, MATTER, clerk, citizen["id_number"], {"code": code})
    demand({proof["outcome"] for proof in proofs.values()} == {"licence"}, str(proofs))
    for name, proof in proofs.items():
        tell(f"    {name}: {'、'.join(f'{field}={value}' for field, value in proof['fields'].items())}")

    tell("5. 同一个码不能再用。The same code is no good a second time.")
    try:
        look_up(counter, MATTER, clerk, citizen["id_number"], {"code": code})
    except Refused as refusal:
        demand(refusal.code == "authorisation_refused", str(refusal))
    else:
        demand(holds=False, what="a code was good twice")

    tell("6. 市民看到谁查了什么。The citizen sees who looked at what.")
    tell_looks(phone, matter=MATTER, how_many=1)


if __name__ == "__main__":
    sys.exit(run(story))
