"""Posts in departments (岗位): give one, take one, end all that an account holds. Every post passes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update

from idservice import audit
from idservice.call import Post
from idservice.db import add_if_new
from idservice.errors import Problem
from idservice.models import Staff
from idservice.oauth import signing_out
from idservice.scim.deeds import StaffDeed

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.scim.models import StaffAccount


def give(call: Call, account: StaffAccount, post: Post, *, counter: str | None) -> None:
    """Give the person behind an account a post in its department; one he holds stays as it is.

    Raises:
        Problem: scim_value, if nobody stands behind the account, or it does not work.
    """
    if account.subject is None or not account.active:
        raise Problem("scim_value", "A post is held by an active account that is linked to a person.")
    row = {"subject": account.subject, "department": account.department, "role": str(post)}
    if add_if_new(call.session, Staff, row | {"counter": counter if post is Post.CLERK else None}):
        audit.record(call, StaffDeed.POST_GIVEN, **_told(account, post))


def take(call: Call, account: StaffAccount, post: Post) -> bool:
    """Take a post away, and return whether he held it; it is gone at the person's next request."""
    gone = (
        delete(Staff)
        .where(Staff.subject == account.subject, Staff.department == account.department, Staff.role == str(post))
        .returning(Staff.subject)
        .execution_options(synchronize_session=False)
    )
    if call.session.execute(gone).first() is None:
        return False
    audit.record(call, StaffDeed.POST_TAKEN, **_told(account, post))
    return True


def seat(call: Call, account: StaffAccount, counter: str | None) -> None:
    """Say at which window the account's clerk sits."""
    call.session.execute(
        update(Staff)
        .where(Staff.subject == account.subject, Staff.department == account.department, Staff.role == str(Post.CLERK))
        .values(counter=counter)
        .execution_options(synchronize_session=False)
    )


def end_all(call: Call, account: StaffAccount) -> None:
    """End what an account was good for, at once: its posts and, if he held one, every session and token of the person.

    Who held no post here has nothing that is this department's to end: a directory links any citizen by his number
    alone. He may log in again, as any citizen may.
    """
    if account.subject is None:
        return
    taken = [post for post in Post if take(call, account, post)]
    if taken:
        signing_out.end_others(call, account.subject, but=None, by="admin", reason="staff_deactivated")
    audit.record(call, StaffDeed.ACCOUNT_ENDED, subject=account.subject, account=account.account_id)


def _told(account: StaffAccount, post: Post) -> dict[str, Any]:
    return {
        "subject": account.subject,
        "department": account.department,
        "post": str(post),
        "account": account.account_id,
    }
