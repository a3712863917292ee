"""Errors told to a person in front of a face: a sentence and a next step, with the wire's HTTP status."""

from __future__ import annotations

import msgspec
from aiohttp import web

from tapledger import texts
from tapledger.errors import TapledgerError
from tapledger.web.checkout_snapshots import Problem
from tapledger.wire.problems import status_of


def problem(language: str, error: TapledgerError) -> Problem:
    """Tell an error to a person."""
    sentence, next_step = texts.problem(language, error)
    return Problem(error.code, sentence, next_step)


def answer(language: str, error: TapledgerError, status: int | None = None) -> web.Response:
    """Return an error as JSON with its status."""
    return web.json_response(
        body=msgspec.json.encode(problem(language, error)), status=status or status_of(error)
    )
