"""On what ground a licence is issued or changed (法定依据): the article that the deed rests on, as data.

行政许可法 (2019 amendment) articles 49, 50, 69 and 70; 行政处罚法 (2021) article 9; 行政强制法 article 9; State Council
decree 716 (2019) article 10. Who names no ground rests the change on the first that fits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from licences.lifecycle import Change

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground: its code, its words in both languages, and the changes that may rest on it."""

    code: str
    zh: str
    en: str
    changes: frozenset[Change]


_RESUMES = frozenset({Change.RESUME})
_ISSUES = frozenset({Change.ISSUE, Change.COLLECT})

GROUNDS: Mapping[str, Ground] = MappingProxyType(
    {
        ground.code: ground
        for ground in (
            Ground("decree_716_10", "国务院令第716号第十条", "State Council decree 716, article 10", _ISSUES),
            Ground("licensing_44", "行政许可法第四十四条", "Administrative Licensing Law, article 44", _ISSUES),
            Ground(
                "licensing_49",
                "行政许可法第四十九条（变更）",
                "Administrative Licensing Law, article 49 (change)",
                frozenset({Change.CHANGE, Change.TRANSFER}),
            ),
            Ground(
                "licensing_50",
                "行政许可法第五十条（延续）",
                "Administrative Licensing Law, article 50 (renewal)",
                frozenset({Change.RENEW}),
            ),
            Ground(
                "licensing_69",
                "行政许可法第六十九条（撤销）",
                "Administrative Licensing Law, article 69 (revocation)",
                frozenset({Change.REVOKE}),
            ),
            Ground(
                "licensing_70",
                "行政许可法第七十条（注销）",
                "Administrative Licensing Law, article 70 (cancellation)",
                frozenset({Change.CANCEL}),
            ),
            Ground(
                "penalty_9",
                "行政处罚法第九条（暂扣、吊销许可证件）",
                "Administrative Penalty Law, article 9 (suspension, withdrawal)",
                frozenset({Change.SUSPEND, Change.WITHDRAW}),
            ),
            Ground(
                "compulsion_9",
                "行政强制法第九条（行政强制措施）",
                "Administrative Compulsion Law, article 9 (measures)",
                frozenset({Change.FREEZE, Change.SUSPEND}),
            ),
            Ground("measure_ended", "原措施已解除或期满", "The measure was lifted or has run out", _RESUMES),
            Ground("court", "人民法院协助执行通知", "Notice of a court", frozenset({Change.FREEZE}) | _RESUMES),
            Ground("holder_request", "持证主体申请", "The holder asked for it", frozenset({Change.CANCEL})),
            Ground("issuer_error", "签发内容有误", "What was issued was wrong", frozenset({Change.CORRECT})),
            Ground("objection_upheld", "异议成立", "An objection was upheld", frozenset({Change.CORRECT})),
            Ground("lost_or_damaged", "遗失、损毁补发", "Lost or damaged", frozenset({Change.REPLACE})),
        )
    }
)


def grounds_for(change: Change) -> tuple[Ground, ...]:
    """Return the grounds that a change may rest on, the usual one first."""
    return tuple(ground for ground in GROUNDS.values() if change in ground.changes)


def ground_of(change: Change, code: str | None) -> Ground | None:
    """Return the ground that `code` names, or the usual one; None if the change cannot rest on what is named."""
    fitting = grounds_for(change)
    return fitting[0] if code is None else next((ground for ground in fitting if ground.code == code), None)
