"""Every fault of every device in the dock, on the narrowest screen, in all four languages."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, expect

from tapledger.lab.bench.line import CHOICES
from tapledger.lab.chain import SHOPS, Chain
from tapledger.lab.network import Fault
from tapledger.languages import LANGUAGES
from tests.browser.conftest import PHONE, open_face

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_MS = 10_000
VERB = re.compile(r"^[a-z]+(_[a-z]+)+$")
"""What a fault without words would be called."""


@pytest.mark.parametrize("shop", SHOPS)
async def test_every_fault_has_its_switch_and_its_words_on_a_phone(
    browser: Browser, chain: Chain, shop: str
) -> None:
    face = await open_face(browser, chain.ports[shop], "console", PHONE)
    await expect(face.at("dock")).to_be_visible(timeout=PATIENCE_MS)
    devices = chain.benches[shop].dock().devices
    for device in devices:
        if device.faults:
            await face.at(f"dock-faults-{device.role}").locator("summary").click()
    seen: set[str] = set()
    for language in reversed(LANGUAGES):  # the shop's own is the last, and stays
        headers = {"Origin": f"http://localhost:{chain.ports[shop]}"}
        url = f"http://localhost:{chain.ports[shop]}/api/console/language"
        done = await face.page.request.post(url, data={"language": language}, headers=headers)
        assert done.ok
        await expect(face.page.locator("html")).to_have_attribute("lang", language, timeout=PATIENCE_MS)
        for device in devices:
            for fault in device.faults:
                words = face.at(f"dock-fault-{device.role}-{fault.verb}").locator("strong")
                assert not VERB.match(await words.inner_text()), fault.verb
                seen.add(fault.verb)
        width = await face.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE[0], language
    assert len(seen) >= 10
    assert face.complaints == []
    await face.close()


async def test_the_line_to_central_is_cut_with_the_keyboard_and_shows_what_it_is(
    browser: Browser, chain: Chain
) -> None:
    face = await open_face(browser, chain.ports["shop-b"], "console", PHONE)
    line, card = chain.lines["shop-b"], face.at("dock-network")
    await expect(card).to_have_attribute("data-state", "well", timeout=PATIENCE_MS)
    await face.at("dock-network-well").focus()
    for choice in ("cut", "replies_lost", "slow"):
        await face.page.keyboard.press("Tab")
        await expect(face.at(f"dock-network-{choice}")).to_be_focused()
        await face.page.keyboard.press("Enter")
        await expect(face.at(f"dock-network-{choice}")).to_have_attribute("aria-pressed", "true")
        await expect(face.at("dock-network-well")).to_have_attribute("aria-pressed", "false")
        assert line.fault == CHOICES[choice]
    # What else breaks the line shows too.
    await line.set(Fault(hang=True))
    await expect(card).to_have_attribute("data-state", "other", timeout=PATIENCE_MS)
    await expect(card.locator("[aria-pressed=true]")).to_have_count(0)
    # A shop that waits for news on a line that hangs would not know for long that it is well again.
    for choice, state in (("cut", "cut"), ("well", "well")):
        await face.at(f"dock-network-{choice}").click()
        await expect(card).to_have_attribute("data-state", state, timeout=PATIENCE_MS)
    requests = line.counts.requests
    await asyncio.wait_for(line.until(lambda counts: counts.requests > requests), PATIENCE_MS / 1000)
    said = re.compile(rf"\b({'|'.join(str(requests + more) for more in range(1, 50))})\b")
    await expect(face.at("dock-network-passed")).to_have_text(said, timeout=PATIENCE_MS)
    assert face.complaints == []
    await face.close()


async def test_an_amount_is_typed_and_a_fault_ends_where_it_began(browser: Browser, chain: Chain) -> None:
    face = await open_face(browser, chain.ports["shop-b"], "console", PHONE)
    bench = chain.benches["shop-b"]
    await face.at("dock-faults-till-light").locator("summary").click(timeout=PATIENCE_MS)
    await face.at("dock-amount-till-light-slow").fill("70")
    slow = face.at("dock-fault-till-light-slow")
    await slow.click()
    await expect(slow).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    light = bench.devices["till-light"].emulated
    assert light is not None
    assert [(fault.verb, fault.amount) for fault in light.faults()] == [("slow", 70)]
    await expect(face.at("dock-faults-till-light")).to_have_attribute("data-broken", "true")
    await slow.click()
    await expect(slow).to_have_attribute("aria-pressed", "false", timeout=PATIENCE_MS)
    assert light.faults() == ()
    assert face.complaints == []
    await face.close()
