"""Taking away the second factors that staff have lost (移除第二因素): one administrator asks, another agrees.

Neither of them is the person concerned. He then gets his next factor as he got the first: see `activation_acts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idservice.admin import activation_acts
from idservice.errors import Problem
from idservice.login import factor_reset

if TYPE_CHECKING:
    from idservice.call import Call


def check(call: Call, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a person whose second factors may be taken away.

    Raises:
        Problem: as `activation_acts.check_staff`; conflict, for whoever has none.
    """
    activation_acts.check_staff(call, facts["subject"])
    if not factor_reset.has_any(call, facts["subject"]):
        raise Problem("conflict", "This account has no second factor that could be taken away.")
    return facts


def reset(call: Call, facts: dict[str, Any]) -> None:
    """Take them away.

    Raises:
        Problem: see `check`.
    """
    factor_reset.reset(call, check(call, facts)["subject"])
