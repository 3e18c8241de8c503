"""场景二：旅馆入住。Scene 2: checking in at a hotel.

    python examples/scenes/hotel_check_in.py demo-data/demo.json

客人报出姓名和证件号码，旅馆只得到“是”或“否”。要知道客人是否成年，也只问“满十八周岁没有”，看不到生日。
The guest states his name and number; the hotel is told yes or no, and sees no card. Whether he is of age is a question
of its own, answered without a birth date.
"""

from __future__ import annotations

import sys

from city import Asker, City, demand, look_up, run, tell, tell_looks

MATTER = "DM-M-013"


def story(city: City) -> None:
    """Tell the scene; raises `Refused` or `WrongTurnError` where it goes wrong."""
    clerk = city.clerk("公安综合窗口1号")
    hotel = city.system("counter")
    guest = city.members["people"][1]
    phone = city.log_in(guest, "openid licences.show accesses.read")

    tell("1. 客人亮码，并报出姓名和号码；旅馆提交比对。The guest shows a code and states his name; the hotel compares.")
    proofs = look_up(
        hotel, MATTER, clerk, guest["id_number"], _code(phone), claims={"identity": _stated(guest["name"], guest)}
    )
    identity = proofs["identity"]
    demand(identity["outcome"] == "data_yes" and "fields" not in identity, str(identity))
    tell(f"    {identity['outcome']}: {identity['compared']}")

    tell("2. 同住人的关系证明已经取消，谁也不再问。How guests are related is no longer asked by anybody.")
    demand("marriage" not in proofs, str(proofs))

    tell("3. 报错姓名：只说哪一项不符，不说正确的是什么。A wrong name: what differs is told, and not what is right.")
    claims = {"identity": _stated("演示客", guest)}
    wrong = look_up(hotel, MATTER, clerk, guest["id_number"], _code(phone), claims=claims)
    demand(wrong["identity"]["outcome"] == "data_partly" and guest["name"] not in str(wrong), str(wrong))
    tell(f"    {wrong['identity']['outcome']}: {wrong['identity']['compared']}")

    tell("4. 前台出码问“满十八周岁没有”，客人同意。The desk asks whether he is over 18; he agrees.")
    unit = {"department": clerk["department"]}
    operator = {"id_number": clerk["id_number"], "counter": clerk["counter"]}
    asked = hotel.post(
        "/v1/presentation-requests",
        {"question": "age_over_18", "purpose": "入住登记（演示）", "operator": operator} | unit,
    )
    number = city.answer_on_the_phone(guest, asked["qr_text"])
    answer = hotel.post(f"/v1/presentation-requests/{asked['id']}/verifications", {})
    demand(answer["check_number"] == number, "somebody else answered")
    demand(answer["answer"] is True and "report" not in answer, str(answer))
    tell(f"    是 yes；核对数字相同 the same check number on both screens: {number}")

    tell("5. 客人看到旅馆问过什么。The guest sees what the hotel asked.")
    tell_looks(phone, matter=MATTER, how_many=2)


def _code(phone: Asker) -> dict[str, str]:
    return {"code": phone.post("/v1/presentations", {"matter": MATTER})["code"]}


def _stated(name: str, guest: dict) -> dict[str, str]:
    return {"holder_name": name, "holder_number": guest["id_number"]}


if __name__ == "__main__":
    sys.exit(run(story))
