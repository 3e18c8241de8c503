"""What the ways of a proof are called, and what they spare the applicant, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from licences import catalogue
from licences.counter.matter_definition import Way
from licences.pages import words
from licences.pages.words import Both

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.matter_definition import Matter, Proof

WAYS: Final[dict[Way, Both]] = {
    Way.CANCELLED: ("已取消", "Not asked for any more"),
    Way.LICENCE: ("电子证照", "Electronic licence"),
    Way.DATA_CHECK: ("数据核验", "Data check"),
    Way.DEPARTMENT_CHECK: ("部门协查", "Department check"),
    Way.COMMITMENT: ("告知承诺", "Commitment"),
}
WHY: Final[dict[Way, Both]] = {
    Way.CANCELLED: ("这项证明已经取消，任何人都不应再要。", "It was abolished: nobody may ask you for it."),
    Way.LICENCE: (
        "您出示二维码或授权后，窗口直接读取电子证照，只读下列内容。",
        "Show a code or consent, and the counter reads your electronic licence: these fields and no other.",
    ),
    Way.DATA_CHECK: (
        "窗口把您填写的内容与登记信息比对，只得到“一致”或“不一致”，看不到登记内容。",
        "The counter compares what you state with the register and is told only whether it agrees.",
    ),
    Way.DEPARTMENT_CHECK: (
        "窗口请开具单位核实，不用您跑。",
        "The counter asks the unit that would issue it; you need not go there.",
    ),
    Way.COMMITMENT: ("您可以签一份承诺书代替证明。", "You may sign a commitment instead of proving it."),
}
_REGISTER_TITLES: Final[dict[str, Both]] = {
    "holder_name": ("姓名或名称", "Name"),
    "phone": ("手机号码", "Phone number"),
}


def way_title(way: Way) -> str:
    """Return what a way is called."""
    return words.word(WAYS[way])


def titles(call: Call, proof: Proof) -> dict[str, str]:
    """Return what the fields that a proof may name are called."""
    if proof.type_code is None:
        return {name: words.word(both) for name, both in _REGISTER_TITLES.items()}
    return words.field_titles(catalogue.find(call, proof.type_code).type)


def titles_of(call: Call, matter: Matter | None) -> dict[str, str]:
    """Return what the fields that a matter needs are called: fields of other types may bear the same names."""
    if matter is None:
        return {}
    proofs = ((proof, titles(call, proof)) for proof in matter.proofs)
    return {name: known[name] for proof, known in proofs for name in proof.fields if name in known}
