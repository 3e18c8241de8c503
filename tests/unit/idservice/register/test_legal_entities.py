"""Organisations come with their legal representatives, and what the register says of them holds."""

from sqlalchemy import select, update

from idservice.models import Organisation
from idservice.register import legal_entities
from tests.identity import AGENT, ALICE, COMPANY, company_code
from tests.unit.idservice.register.desk import HEADER, Desk, told

OTHER = company_code("9137160210002001")
COLUMNS = "统一社会信用代码,名称,状态,法定代表人身份号码\n"


def test_organisations_come_with_their_legal_representatives(desk: Desk) -> None:
    desk.bring(f"{HEADER}{ALICE},王小明,,,\n{AGENT},李晓华,,,\n")
    text = f"{COLUMNS}{COMPANY},滨州示范食品有限公司,存续,{ALICE}\n{OTHER},滨州示范运输有限公司,,\n"
    assert desk.bring(text, "organisations") == told(added=2)
    assert desk.leaders(COMPANY) == [desk.person(ALICE).subject]
    assert desk.leaders(OTHER) == []
    assert desk.bring(text, "organisations") == told(unchanged=2)
    assert desk.leaders(COMPANY) == [desk.person(ALICE).subject]


def test_a_new_representative_takes_the_place_of_the_old_one(desk: Desk) -> None:
    desk.bring(f"{HEADER}{ALICE},王小明,,,\n{AGENT},李晓华,,,\n")
    desk.bring(f"{COLUMNS}{COMPANY},滨州示范食品有限公司,,{ALICE}\n", "organisations")
    assert desk.bring(f"{COLUMNS}{COMPANY},滨州示范食品集团,注销,{AGENT}\n", "organisations") == told(changed=1)
    assert desk.leaders(COMPANY) == [desk.person(AGENT).subject]
    row = desk.do(lambda call: call.session.scalars(select(Organisation)).one())
    assert (row.credit_code, row.name, row.status) == (COMPANY, "滨州示范食品集团", "closed")
    assert desk.bring(f"{COLUMNS}{COMPANY},滨州示范食品集团,,\n", "organisations") == told(unchanged=1)


def test_an_import_lets_no_organisation_go_on_that_was_stopped(desk: Desk) -> None:
    row = f"{COLUMNS}{COMPANY},滨州示范食品有限公司,存续,\n"
    desk.bring(row, "organisations")
    desk.do(lambda call: call.session.execute(update(Organisation).values(status="locked")))
    assert desk.bring(row, "organisations") == told(unchanged=1)
    assert desk.do(lambda call: call.session.scalars(select(Organisation.status)).one()) == "locked"
    assert desk.bring(row.replace("存续", "注销"), "organisations") == told(changed=1)
    assert desk.do(lambda call: call.session.scalars(select(Organisation.status)).one()) == "closed"


def test_what_a_row_says_holds_though_its_new_representative_is_unknown(desk: Desk) -> None:
    desk.bring(f"{HEADER}{ALICE},王小明,,,\n")
    desk.bring(f"{COLUMNS}{COMPANY},滨州示范食品有限公司,,{ALICE}\n", "organisations")
    text = f"{COLUMNS}{COMPANY},滨州示范食品集团,注销,{AGENT}\n"
    assert desk.bring(text, "organisations", dry_run=True) == told(rejected=1)
    assert desk.leaders(COMPANY) == [desk.person(ALICE).subject]
    assert desk.bring(text, "organisations") == told(rejected=1)
    assert desk.refused()[0]["reasons"] == ["representative_unknown"]
    row = desk.do(lambda call: call.session.scalars(select(Organisation)).one())
    assert (row.name, row.status) == ("滨州示范食品集团", "closed")
    assert desk.leaders(COMPANY) == []
    desk.rejects.path.unlink()
    desk.bring(f"{HEADER}{AGENT},李晓华,,,\n")
    assert desk.bring(text, "organisations") == told(changed=1)
    assert desk.leaders(COMPANY) == [desk.person(AGENT).subject]


def test_bad_rows_of_organisations(desk: Desk) -> None:
    text = f"{COLUMNS}{COMPANY},甲,,{ALICE}\n{COMPANY[:-1]}?,,gone,1\n{OTHER},乙,,\n"
    assert desk.bring(text, "organisations") == told(added=1, rejected=2)
    assert [(reject["line"], reject["reasons"]) for reject in desk.refused()] == [
        (2, ["representative_unknown"]),
        (3, ["number_alphabet", "name", "status", "representative"]),
    ]
    assert legal_entities.KIND == "organisation"
