"""场景三：孩子入学。Scene 3: enrolling a child at school.

    python examples/scenes/school_enrolment.py demo-data/demo.json

家长在手机上同意一次，学校当天就能自己查户口、房产和社保，不用家长跑三个单位开三张证明；撤回之后学校再也查不到。
A parent consents once. The school looks up household, property and social insurance itself instead of sending him to
three offices; once he withdraws, it learns nothing more.
"""

from __future__ import annotations

import sys

from city import Asker, City, Refused, demand, look_up, run, tell, tell_looks

MATTER = "DM-M-002"


def story(city: City) -> None:
    """Tell the scene; raises `Refused` or `WrongTurnError` where it goes wrong."""
    clerk = city.clerk("民生服务窗口4号")
    school = city.system("counter")
    parent = city.members["people"][0]
    phone = city.log_in(parent, "openid consents.manage accesses.read")

    tell("1. 清单是公开的：入学要哪些证明，各要哪些字段。The list is public: which proofs, and which fields of each.")
    listed = next(item for item in city.call("GET", "/v1/matters")["items"] if item["code"] == MATTER)
    for proof in listed["proofs"]:
        tell(f"    {proof['name']} {proof['name_en']}: {'、'.join(proof['fields'])}")

    tell("2. 家长同意学校办理这一件事。The parent consents to this matter, for this unit, for one day.")
    given = phone.post("/v1/lookup-consents", {"matter": MATTER, "department": clerk["department"], "days": 1})

    tell("3. 学校查询。The school looks up.")
    proofs = look_up(school, MATTER, clerk, parent["id_number"], {"consent": given["id"]})
    wanted = {"identity", "household", "property", "social_security"}
    demand({name for name, proof in proofs.items() if proof["outcome"] == "licence"} == wanted, str(proofs))
    for name in ("household", "property", "social_security"):
        tell(f"    {name}: {'、'.join(f'{field}={value}' for field, value in proofs[name]['fields'].items())}")

    tell("4. 同意是给这个单位的，别的单位用不了。The consent is this unit's; another gets nothing by it.")
    _demand_refused(school, city.clerk("企业开办窗口2号"), parent, given["id"])

    tell("5. 家长撤回，学校也不能再查。The parent withdraws, and the school gets nothing any more.")
    phone.post(f"/v1/lookup-consents/{given['id']}/withdrawals", {})
    _demand_refused(school, clerk, parent, given["id"])

    tell("6. 家长看到学校查过什么。The parent sees what the school looked at.")
    tell_looks(phone, matter=MATTER, how_many=1)


def _demand_refused(school: Asker, clerk: dict, parent: dict, consent: str) -> None:
    try:
        look_up(school, MATTER, clerk, parent["id_number"], {"consent": consent})
    except Refused as refusal:
        demand(refusal.code == "authorisation_refused", str(refusal))
        tell(f"    {refusal}")
    else:
        demand(holds=False, what="a consent reached further than it was given")


if __name__ == "__main__":
    sys.exit(run(story))
