"""场景四：经办人替公司开户。Scene 4: an agent opens his company's bank account.

    python examples/scenes/bank_account.py demo-data/demo.json

经办人用自己的号码登录，选择代表公司，开一个用证码给银行。银行查到营业执照，税务信息由税务部门去核，开户许可证已经取消。
与公司无关的人开不出这个码；公司的记录里两个名字都在。
An agent logs in with his own number, chooses the company, and hands the bank a code that authorises one look-up.
Nobody else can make such a code, and the company's record names both.
"""

from __future__ import annotations

import sys

from city import City, Refused, demand, look_up, run, tell, tell_looks

MATTER = "DM-M-014"
AGENT_SCOPE = "openid consents.manage accesses.read"


def story(city: City) -> None:
    """Tell the scene; raises `Refused` or `WrongTurnError` where it goes wrong."""
    clerk = city.clerk("企业开办窗口2号")
    bank = city.system("counter")
    company = city.organisation(2)
    agent = city.person(company["agent_id_number"])

    tell(f"1. 经办人登录，选择代表“{company['name']}”。The agent logs in and chooses the company.")
    app = city.log_in(agent, AGENT_SCOPE, acting=company["name"])

    tell("2. 他开一个用证码：一个事项、一个单位、十分钟。A code: one matter, one unit, ten minutes.")
    wanted = {"mode": "entrust", "matter": MATTER, "department": clerk["department"]}
    code = app.post("/v1/lookup-authorisations", wanted)["code"]

    tell("3. 与公司无关的人不能代它开码。Somebody without a mandate cannot make one for the company.")
    stranger = city.log_in(city.members["people"][1], AGENT_SCOPE)
    try:
        stranger.post("/v1/lookup-authorisations", wanted)
    except Refused as refusal:
        tell(f"    {refusal}")
    else:
        demand(holds=False, what="a stranger made a code for the company")

    tell("4. 银行凭码查询。The bank looks up.")
    proofs = look_up(bank, MATTER, clerk, company["credit_code"], {"auth_code": code}, ways={"tax": "department_check"})
    business = proofs["business"]
    demand(business["outcome"] == "licence" and business["fields"]["state"] == "valid", str(proofs))
    tell(f"    business: {'、'.join(f'{field}={value}' for field, value in business['fields'].items())}")

    tell("5. 税务信息请税务部门核实；开户许可证已取消。Tax is checked by its department; no permit is needed.")
    demand(proofs["tax"]["outcome"] == "department" and "permit" not in proofs, str(proofs))
    tell(f"    tax: {proofs['tax']['check']}，期限 due {proofs['tax']['due']}")

    tell("6. 公司看到谁查过、由谁经办。The company sees who looked, and who acted for it.")
    looks = tell_looks(app, matter=MATTER, how_many=1)
    demand(all(look.get("acting") for look in looks), "the record does not name the agent")


if __name__ == "__main__":
    sys.exit(run(story))
