"""Shares are of what was counted, and of nothing there is none."""

from licences.counter.assist_figures import Table, share


def test_proofs_without_paper_and_late_checks_are_counted_by_unit_and_matter() -> None:
    table = Table()
    table.add_lookup("A", "m1", ["licence", "data_yes", "not_held", "commitment"])
    table.add_lookup("A", "m1", ["department", "data_no"])
    table.add_lookup("B", "m1", [])
    for is_overdue in (True, False, False):
        table.add_check("A", "m2", is_overdue=is_overdue)
    told = {
        key: (row.as_json()["without_paper_share"], row.as_json()["overdue_share"]) for key, row in table.rows.items()
    }
    assert told == {("A", "m1"): (66.7, None), ("A", "m2"): (None, 33.3), ("B", "m1"): (None, None)}
    total = table.total()
    assert (total.proofs, total.without_paper, total.checks, total.overdue) == (6, 4, 3, 1)
    assert share(0, 3) == 0.0
