import json
import re

from licences.demo import greeting

NUMBERS = ["11", "22", "33", "44", "55"]
MEMBERS = {
    "issuer": "http://127.0.0.1:8123",
    "people": [
        {"id_number": number, "password": f"password-{number}", "totp_secret": f"SECRET{number}"} for number in NUMBERS
    ],
    "organisations": [{"name": "某公司（演示）", "agent_id_number": "22"}],
    "departments": [
        {"credit_code": "C", "name": "某局（演示）", "officer_id_number": "33", "second_officer_id_number": "55"}
    ],
    "clerks": [{"id_number": "44", "department": "C", "counter": "1号"}],
    "clients": [{"name": n, "client_id": n, "client_secret": f"s-{n}"} for n in ("issuer", "counter")],
}


def test_it_names_the_pages_and_one_account_of_each_kind() -> None:
    text = greeting.text(MEMBERS)
    assert "http://127.0.0.1:8123/counter" in text
    for number in NUMBERS:
        assert re.search(rf"^  {number}  password-{number}  \S", text, re.MULTILINE)


def test_it_says_how_staff_get_the_code_they_need_besides() -> None:
    assert re.findall(r'TOTP\("(\w+)"\)\.now\(\).*# \S+ ([\w ]+)$', greeting.text(MEMBERS), re.MULTILINE) == [
        ("SECRET33", "officer"),
        ("SECRET55", "second officer"),
        ("SECRET44", "clerk"),
    ]


def test_the_first_call_is_filled_in() -> None:
    text = greeting.text(MEMBERS)
    assert "@" not in text
    assert "issuer:s-issuer" in text
    found = re.search(r"send licences \"\$ISSUER\" '(.*)'\)$", text, re.MULTILINE)
    assert found
    body = json.loads(found[1])
    assert body["holder"] == {"number": "11"}
    assert body["fields"]
