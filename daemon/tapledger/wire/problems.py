"""Errors across HTTP: which class is which status, on both sides of the wire, decided here only."""

from __future__ import annotations

from tapledger.errors import (
    Conflict,
    Corrupt,
    Denied,
    Invalid,
    NotFound,
    Refused,
    TapledgerError,
    Unavailable,
)
from tapledger.wire.messages import Refusal

STATUS: dict[type[TapledgerError], int] = {
    Invalid: 400,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Refused: 422,
    Corrupt: 500,
    Unavailable: 503,
}

_CLASSES = {status: kind for kind, status in STATUS.items() if status < 500}


def status_of(error: TapledgerError) -> int:
    """Return the HTTP status of an error; 500 for a class that has none of its own."""
    return STATUS.get(type(error), 500)


def refusal(error: TapledgerError) -> Refusal:
    return Refusal(code=error.code, data=error.data)


def error_from(status: int, answer: Refusal) -> TapledgerError:
    """Return the error that the other side raised.

    Its own trouble (5xx) is ``Unavailable`` here, whatever it was there: nothing of ours is damaged by it.
    """
    data = {name: value for name, value in answer.data.items() if name not in ("self", "code")}
    return _CLASSES.get(status, Unavailable)(answer.code, **data)
