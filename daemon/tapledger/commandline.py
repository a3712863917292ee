"""What every command of ours does with an error: a sentence with its next step, and an exit code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from tapledger.errors import TapledgerError

T = TypeVar("T")

REFUSED, INTERRUPTED = 2, 130


def call(work: Coroutine[Any, Any, T], as_json: bool) -> T:
    """Run a command and return its result; an error is told in English and ends with exit code 2."""
    try:
        return asyncio.run(work)
    except TapledgerError as error:
        from tapledger import texts

        sentence, next_step = texts.problem("en", error)
        if as_json:
            click.echo(json.dumps({"code": error.code, "sentence": sentence, "next_step": next_step}))
        else:
            click.echo(f"{sentence}\n{next_step}  [{error.code}]", err=True)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
