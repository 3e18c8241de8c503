"""The tables of the guard: who may look up whom, how often, what is stopped, and what raised an alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, REFERENCE, Base


class GuardRule(Base):
    """A row of the policy of look-ups (查询权限规则); `licences.guard.policy` says what its columns mean."""

    __tablename__ = "guard_rule"
    __table_args__ = REFERENCE
    rule_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    effect: Mapped[str] = mapped_column(String(8))
    unit: Mapped[str] = mapped_column(String(18))
    operator: Mapped[str] = mapped_column(String(32))  # a subject
    matter: Mapped[str] = mapped_column(String(64))
    region: Mapped[str] = mapped_column(String(8))
    ground: Mapped[str] = mapped_column(String(8))
    note: Mapped[str] = mapped_column(String(200))
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(String(96))


class GuardQuota(Base):
    """How often the operators of a unit may look; `*` stands for every unit without a row of its own."""

    __tablename__ = "guard_quota"
    __table_args__ = REFERENCE
    unit: Mapped[str] = mapped_column(String(18), primary_key=True)
    per_day: Mapped[int]
    per_minute: Mapped[int]
    per_subject: Mapped[int]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(String(96))


class GuardCount(Base):
    """A counter of looks: of one operator's day, of one subject's day, or of a part of everybody's hour."""

    __tablename__ = "guard_count"
    __table_args__ = HASHED
    count_key: Mapped[str] = mapped_column(String(128), primary_key=True)  # licences.guard.quota
    looks: Mapped[int]
    minute: Mapped[int] = mapped_column(BigInteger)  # minutes since 1970, of the last look
    in_minute: Mapped[int]
    expires_at: Mapped[datetime]


class GuardStop(Base):
    """A stop of look-ups (停止查询): of all, of one unit, one operator or one matter, until two people lift it."""

    __tablename__ = "guard_stop"
    __table_args__ = REFERENCE
    stop_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    scope: Mapped[str] = mapped_column(String(8))  # all | unit | operator | matter
    target: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    stopped_by: Mapped[str] = mapped_column(String(96))
    stopped_at: Mapped[datetime]
    lift_asked_by: Mapped[str | None] = mapped_column(String(96))
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(96))
    lifted_at: Mapped[datetime | None]


class GuardHoney(Base):
    """A number nobody bears and nobody has reason to ask for (蜜罐号码), by its keyed hash alone."""

    __tablename__ = "guard_honey"
    __table_args__ = HASHED
    number_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    set_at: Mapped[datetime]


class GuardAlarm(Base):
    """An alarm (告警). The same thing again, before anybody saw to it, is one alarm that counts."""

    __tablename__ = "guard_alarm"
    __table_args__ = (Index(None, "last_at"), REFERENCE)
    alarm_id: Mapped[str] = mapped_column(String(64), primary_key=True)  # made of kind, cause and day
    kind: Mapped[str] = mapped_column(String(16))  # licences.guard.anomalies.Kind
    facts: Mapped[dict[str, Any]]  # pseudonyms only
    times: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    seen_by: Mapped[str | None] = mapped_column(String(96))
    seen_at: Mapped[datetime | None]
