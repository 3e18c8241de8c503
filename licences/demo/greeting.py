"""What a person reads when the demonstration is up (启动提示): where to look, who to be, and a first call. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from licences.definition_file import shipped_types

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The slug of the type of the first call: any person may hold one beside what he has.
FIRST_ISSUED: Final = "vocational_qualification"
_PAGES: Final = (
    ("/", "首页 Home"),
    ("/me", "我的证照 My licences"),
    ("/counter", "核验窗口 Counter"),
    ("/admin", "签发 Issuing"),
    ("/verify", "公众核验 Verify a licence"),
    ("/verify/seal", "验章 Verify a seal"),
    ("/docs", "接口文档 API"),
)

_CODE: Final = ".venv/bin/python -c 'import pyotp; print(pyotp.TOTP(\"%s\").now())'"
_SCRIPT: Final = r"""
member() { sed "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/"; }
token() { curl -s @URL@/oauth/token -u "$1" -d grant_type=client_credentials -d scope="$2" | member access_token; }
send() { curl -s @URL@/v1/"$1" -H "Authorization: Bearer $2" -H 'Content-Type: application/json' -d "$3"; }
ISSUER=$(token @AS_ISSUER@ licences.issue)
COUNTER=$(token @AS_COUNTER@ verifications.create)
LICENCE=$(send licences "$ISSUER" '@BODY@')
echo "$LICENCE"
send verifications "$COUNTER" "{\"text\": \"$(echo "$LICENCE" | member identifier)\"}"
"""


def text(members: Mapping[str, Any]) -> str:
    """Return the greeting for the content of FILE; the first call is for a POSIX shell with curl and sed."""
    issuer = members["issuer"]
    lines = ["", f"一号通行演示市已就绪 The demonstration city is ready: {issuer}", ""]
    lines += [f"  {issuer + path:<36}{title}" for path, title in _PAGES]
    lines += ["", "演示账号，人物均为虚构 Accounts of people who do not exist (证件号码 number, 口令 password):", ""]
    lines += [f"  {number}  {password}  {role}" for number, password, role in _accounts(members)]
    lines += ["", "工作人员另须动态口令 Staff need a code too (密钥 secret):", ""]
    lines += [f"  {_CODE % secret}  # {role}" for secret, role in _staff(members)]
    lines += ["", "第一次调用：签发一份证照并核验 A first call: issue a licence, then verify it", ""]
    lines += [f"  {line}" for line in _first_call(members)]
    return "\n".join([*lines, "", "按 Ctrl-C 停止 Ctrl-C ends it.", ""])


def _accounts(members: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    passwords = {person["id_number"]: person["password"] for person in members["people"]}
    names = {department["credit_code"]: department["name"] for department in members["departments"]}
    agent, department, clerk = members["organisations"][0], members["departments"][0], members["clerks"][0]
    second = next(one for one in members["departments"] if "second_officer_id_number" in one)
    roles = (
        (members["people"][0]["id_number"], "公民 citizen"),
        (agent["agent_id_number"], f"法人代表 agent of {agent['name']}"),
        (department["officer_id_number"], f"经办人员 officer of {department['name']}"),
        (second["second_officer_id_number"], f"复核人员 second officer of {second['name']}"),
        (clerk["id_number"], f"窗口人员 clerk of {names[clerk['department']]}, {clerk['counter']}"),
    )
    return [(number, passwords[number], role) for number, role in roles]


def _staff(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    secrets = {person["id_number"]: person["totp_secret"] for person in members["people"]}
    first = members["departments"][0]
    second = next(one for one in members["departments"] if "second_officer_id_number" in one)
    return [
        (secrets[first["officer_id_number"]], "经办人员 officer"),
        (secrets[second["second_officer_id_number"]], "复核人员 second officer"),
        (secrets[members["clerks"][0]["id_number"]], "窗口人员 clerk"),
    ]


def _first_call(members: Mapping[str, Any]) -> list[str]:
    clients = {client["name"]: client for client in members["clients"]}
    kind = next(entry for entry in shipped_types() if entry.slug == FIRST_ISSUED)
    body = {
        "type": kind.code,
        "holder": {"number": members["people"][0]["id_number"]},
        "fields": {field.name: field.example for field in kind.fields if field.required},
    }
    values = {
        "URL": members["issuer"],
        "AS_ISSUER": _basic(clients["issuer"]),
        "AS_COUNTER": _basic(clients["counter"]),
        "BODY": json.dumps(body, ensure_ascii=False).replace("'", r"\u0027"),  # it stands between apostrophes
    }
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], _SCRIPT).strip().splitlines()


def _basic(client: Mapping[str, str]) -> str:
    return f"{client['client_id']}:{client['client_secret']}"
