from __future__ import annotations

from tests.central.world import world as world
