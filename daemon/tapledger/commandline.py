"""What every command of ours has: its options, and what it does with an error or a result."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from tapledger.errors import TapledgerError
from tapledger.languages import LANGUAGES

T = TypeVar("T")

REFUSED, INTERRUPTED = 2, 130

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("/etc/tapledger/daemon.toml"),
    show_default=True,
    help="The shop's daemon.toml.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
LANGUAGE = click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)


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


def show(as_json: bool, result: dict[str, Any], sentence: str) -> None:
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else sentence)
