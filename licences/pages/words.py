"""Words of this room's pages in the reader's language: Chinese first, English beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.http.problems import language
from idservice.numbers.fold import MESSAGES
from licences.grounds import GROUNDS
from licences.lifecycle import TITLES, Change, State
from licences.predicates import AGE_OVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.errors import FieldProblem, Problem
    from licences.counter.matter_definition import Matter, Proof
    from licences.definition import LicenceType

Both = tuple[str, str]

GENERIC_TITLES: dict[str, Both] = {
    "holder_name": ("持有人", "Holder"),
    "holder_number": ("证件号码", "Number"),
    "certificate_number": ("证书号", "Certificate number"),
    "issuer": ("签发机关", "Issuer"),
    "state": ("当前状态", "State"),
    "valid_from": ("生效日期", "Valid from"),
    "valid_until": ("截止日期", "Valid until"),
    **{name: (f"年满 {age} 周岁", f"At least {age} years old") for name, age in AGE_OVER.items()},
}
CHANGES: dict[Change, tuple[Both, Both]] = {
    Change.SUSPEND: (("暂扣", "Suspend"), ("暂时停用，可以恢复", "Out of use for a while; can be resumed")),
    Change.RESUME: (("恢复", "Resume"), ("解除暂扣或冻结", "End the suspension")),
    Change.REVOKE: (("撤销", "Revoke"), ("永久失效，不能恢复", "For good; cannot be undone")),
    Change.CANCEL: (("注销", "Cancel"), ("应持有人申请终止", "End it at the holder's wish")),
    Change.RENEW: (("换发", "Renew"), ("按现有内容签发新版本", "Issue a new version with the same content")),
    Change.CORRECT: (("更正", "Correct"), ("签发内容更正后的新版本", "Issue a new version with corrected content")),
    Change.FREEZE: (("冻结", "Freeze"), ("依法暂停使用，可以恢复", "Out of use by law; can be resumed")),
    Change.WITHDRAW: (("吊销", "Withdraw"), ("作为处罚永久失效", "For good, as a penalty")),
    Change.TRANSFER: (
        ("转出", "Transfer"),
        ("转由其他机关管理，在本机关终止", "Another authority keeps it from now on"),
    ),
    Change.CHANGE: (("变更", "Change"), ("情况变化后签发新版本", "Issue a new version because facts have changed")),
    Change.REPLACE: (("补发", "Replace"), ("遗失、损毁后签发新版本", "Issue a new version of one lost or damaged")),
    Change.COLLECT: (("领取", "Collect"), ("领取后生效", "It holds from then on")),
    Change.ISSUE: (("签发", "Issue"), ("", "")),
}
ROLES: dict[str, Both] = {
    "legal_representative": ("法定代表人", "Legal representative"),
    "administrator": ("管理员", "Administrator"),
    "agent": ("经办人", "Agent"),
    "guardian": ("监护人", "Guardian"),
    "proxy": ("代办人", "Acting person"),
}
#: What a record of a look names beside the fields of a type.
PARTS: dict[str, Both] = {
    "masked_face": ("遮盖后的证照内容", "What the licence says, masked"),
    "masked_holder": ("遮盖后的持有人信息", "The holder, masked"),
    "whole_licence": ("整份证照", "The whole licence"),
    "licence_list": ("证照清单", "The list of licences"),
    "credential": ("电子凭证", "The credential"),
    "paper_qr": ("纸质核验二维码", "The QR code for paper"),
    "record": ("盖章原文", "The sealed record"),
    "document.pdf": ("版式文件（PDF）", "The document (PDF)"),
    "document.ofd": ("版式文件（OFD）", "The document (OFD)"),
    "credential.mdoc": ("移动证件凭证（mdoc）", "The credential (mdoc)"),
    "credential.jwt": ("可验证凭证（JWT-VC）", "The credential (JWT-VC)"),
    "wallet_copy": ("放入钱包的副本", "A copy for a wallet"),
    "claim169.txt": ("身份二维码（Claim 169）", "The identity QR (Claim 169)"),
    "seal": ("电子签章", "The seal"),
    "department_reply": ("部门答复", "A department's reply"),
    "commitment": ("承诺书", "The commitment"),
}
FAULTS: dict[str, Both] = {
    "required": ("请填写", "Fill this in"),
    "type": ("类型不对", "Not of the right kind"),
    "length": ("太长或位数不对", "Too long, or the wrong number of characters"),
    "empty": ("请填写", "Fill this in"),
    "invisible": ("含有看不见的字符", "Holds characters that cannot be seen"),
    "whitespace": ("首尾不能有空格", "Begins or ends with a space"),
    "choice": ("请从选项中选择", "Choose one of the options"),
    "date": ("请填写存在的日期", "Give a real date"),
    "decimal": ("请填写数字", "Give a number"),
    "range": ("超出范围", "Out of range"),
    "order": ("截止日期早于生效日期", "Ends before it begins"),
    "too_early": ("日期过早", "Too early"),
}


def word(both: Both) -> str:
    """Return the one of two texts that is in the reader's language."""
    return both[1] if language() == "en" else both[0]


def state_title(state: State) -> str:
    """Return what a state is called."""
    return word(TITLES[state])


def name_of(named: LicenceType | Matter | Proof) -> str:
    """Return the name of a licence type, a matter or a proof."""
    return word((named.name, named.name_en))


def field_titles(kind: LicenceType) -> dict[str, str]:
    """Return what the fields of a type are called, those that every licence has among them."""
    own = {field.name: word((field.title, field.title_en)) for field in kind.fields}
    derived = {field.name: word((field.title, field.title_en)) for field in kind.derived}
    return {name: word(both) for name, both in GENERIC_TITLES.items()} | own | derived


def every_field_title(kinds: Iterable[LicenceType]) -> dict[str, str]:
    """Return what fields, and other parts of a licence, are called where it is not said of which type they are."""
    own = {name: title for kind in kinds for name, title in field_titles(kind).items()}
    return own | {name: word(both) for name, both in PARTS.items()}


def value_text(value: str | int | bool) -> str:
    """Return a field's value as people read it."""
    if isinstance(value, bool):
        return word(("是", "Yes")) if value else word(("否", "No"))
    return str(value)


def ground(code: str | None) -> str | None:
    """Return what a change rests on; None where it is not known."""
    found = GROUNDS.get(code or "")
    return word((found.zh, found.en)) if found is not None else None


def problem_text(problem: Problem) -> str:
    """Return a refusal in one line."""
    return word((problem.kind.zh, problem.kind.en))


def fault_text(fault: FieldProblem) -> str:
    """Return what is wrong with one field."""
    if fault.code in MESSAGES and fault.pointer.endswith("/number"):
        zh, _, en = MESSAGES[fault.code].partition(" / ")
        return word((zh, en[0].upper() + en[1:]))
    return word(FAULTS.get(fault.code, ("不正确", "Not right")))
