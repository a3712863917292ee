"""A face asks nobody but its own shop, and its browser is told to hold it to that.

Every browser test holds it for what it does: ``Face.close`` fails on a request to another origin,
``open_face`` on a page that comes without the policy.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tapledger.lab.chain import Chain
from tests.browser.conftest import KIOSK, open_face

pytestmark = pytest.mark.asyncio(loop_scope="session")

FACES = ("kiosk", "till", "console")
DRAWN = {"kiosk": ".kiosk", "till": ".till", "console": "main"}
ASK = """(outside) => Promise.allSettled([
    fetch(outside),
    new Promise((_, refused) => { new WebSocket(outside.replace("http", "ws")).onerror = refused; }),
    new Promise((_, refused) => {
        const image = document.body.appendChild(new Image());
        image.onerror = refused;
        image.src = `${outside}/a.png`;
    }),
    new Promise((_, refused) => {
        const script = document.head.appendChild(document.createElement("script"));
        script.onerror = refused;
        script.src = `${outside}/a.js`;
    }),
]).then((all) => all.map(({ status }) => status))"""


@pytest.mark.parametrize("name", FACES)
async def test_a_face_cannot_ask_anybody_else(browser: Browser, chain: Chain, name: str) -> None:
    face = await open_face(browser, chain.ports["shop-a"], name, KIOSK)
    await expect(face.page.locator(DRAWN[name]).first).to_be_visible()
    assert face.cacheable == []
    assert await face.page.evaluate(ASK, chain.central_url) == ["rejected"] * 4
    assert len([one for one in face.complaints if "Content Security Policy" in one]) >= 4
    face.foreign.clear()  # Chromium tells of what it then refuses
    await face.close()


async def test_a_page_that_asks_somebody_else_is_noticed(browser: Browser, chain: Chain) -> None:
    face = await open_face(browser, chain.ports["shop-a"], "kiosk", KIOSK)
    await face.page.goto(f"http://localhost:{chain.ports['shop-b']}/kiosk")
    with pytest.raises(AssertionError, match=str(chain.ports["shop-b"])):
        await face.close()
