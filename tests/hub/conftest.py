from __future__ import annotations

import pytest

from tests.central.world import world as world
from tests.hub.branch import branch as branch


@pytest.fixture
def database_url() -> str:
    """SQLite: nothing here depends on central's engine."""
    return ""
