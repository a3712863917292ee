"""Errors of the product, named for what the caller must do.

Each carries a ``code`` and the data its sentence needs. ``texts.problem`` turns a code into a sentence and a
next step; ``web.problems`` turns the class into an HTTP status. Both happen in that one place only.
"""

from __future__ import annotations


class TapledgerError(Exception):
    """Base of all; nothing was changed when one of these is raised."""

    def __init__(self, code: str, /, **data: str | int) -> None:
        super().__init__(f"{code} {data}" if data else code)
        self.code = code
        self.data = data


class Refused(TapledgerError):
    """The rules say no: tell the person why and what they can do instead."""


class NotFound(TapledgerError):
    """There is no such member, card, article or voucher: ask again, or offer to make one."""


class Invalid(TapledgerError):
    """The input cannot be meant: correct it and send again."""


class Conflict(TapledgerError):
    """It clashes with what is already recorded: do not send again; look first."""


class Denied(TapledgerError):
    """Not allowed for this person, page or node: sign in, or enrol."""


class Unavailable(TapledgerError):
    """Not now: the same request may succeed later."""


class Corrupt(TapledgerError):
    """What is stored contradicts itself: stop writing, call a technician."""
