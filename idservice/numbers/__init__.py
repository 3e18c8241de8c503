"""The numbers people and organisations are known by (号码): pure, importable without Flask.

Every module here answers the same five questions about its own number, so a caller learns them once:
`normalise` (fold what was typed), `check` (the number, or `InvalidNumber`), `is_valid`, `parts` (what it says), `mask`.
"""

from idservice.numbers.fold import InvalidNumber

__all__ = ["InvalidNumber"]
