"""An officer's page is the desk of a department of his, and of no other."""

import pytest

from idservice.errors import Problem
from licences.pages.desk import department_of
from tests.builders import STAFF_LOGIN
from tests.town import CIVIL, OFFICER, SECURITY, Town


def test_it_is_the_one_that_is_named_or_his_first(town: Town) -> None:
    posts = frozenset({("officer", SECURITY), ("officer", CIVIL), ("clerk", "1" * 18)})
    officer = town.caller(OFFICER, posts=posts, **STAFF_LOGIN)

    def desk(query: str) -> str:
        with town.app.test_request_context(f"/admin/life{query}"):
            return town.act(department_of, caller=officer)

    assert desk("") == min(SECURITY, CIVIL)
    assert [desk(f"?department={named}") for named in (SECURITY, CIVIL)] == [SECURITY, CIVIL]
    for strange in ("1" * 18, "9" * 18, ""):
        with pytest.raises(Problem, match="forbidden"):
            desk(f"?department={strange}")
