"""Errors as HTTP: the one table from what the caller must do to a status, and the one shape of the answer."""

from __future__ import annotations

import msgspec
import structlog
from aiohttp import web

from tapledger import texts
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
from tapledger.web.snapshots import Problem

log = structlog.get_logger()

STATUS: dict[type[TapledgerError], int] = {
    Invalid: 400,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Refused: 422,
    Unavailable: 503,
    Corrupt: 500,
}


def problem(language: str, error: TapledgerError) -> Problem:
    """Tell an error to a person; one that only a newer central knows is told in general words."""
    try:
        sentence, next_step = texts.problem(language, error)
    except KeyError:
        log.warning("no sentence", code=error.code)
        sentence, next_step = texts.problem(language, Unavailable("UNEXPECTED"))
    return Problem(error.code, sentence, next_step)


def answer(language: str, error: TapledgerError, status: int | None = None) -> web.Response:
    """Return an error as JSON with its status."""
    return web.json_response(
        body=msgspec.json.encode(problem(language, error)), status=status or STATUS[type(error)]
    )
