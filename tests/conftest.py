"""Options and fixtures of the whole test run."""

from __future__ import annotations

import pytest

from tests.postgres import postgres_server as postgres_server
from tests.postgres import postgres_url as postgres_url


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--device",
        default="",
        metavar="DRIVER,OPTION=VALUE,…",
        help="a device that is plugged in (docs/devices/trying-a-real-device.md)",
    )
