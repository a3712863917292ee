"""What axe-core finds wrong with a page: rules of WCAG that a machine can check."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.conftest import Face

AXE = Path(__file__).parents[2] / "kiosk_ui" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document)).violations.flatMap(
    ({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`))"""


async def violations(face: Face) -> list[str]:
    """Return every violation on the page, as it is now, with the element that has it."""
    if not AXE.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("axe-core is not installed")
        pytest.skip("axe-core is not installed: npm ci in kiosk_ui")
    await face.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await face.page.evaluate(RUN)
    return found
