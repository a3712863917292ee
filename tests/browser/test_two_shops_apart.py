"""Two shops, the network between them cut in the dock: both go on, and agree when it is healed."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tapledger import assets
from tapledger.lab.chain import SHOPS, Chain
from tests.browser.conftest import Face, open_face, running_chain
from tests.browser.shop_floor import DESK
from tests.faults.counter import COFFEE_POINTS, WANG, Counter

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_MS = 10_000
BACK_MS = 40_000
"""A shop that was away tries again after pauses that grow."""


async def test_two_shops_go_on_apart_and_agree_when_the_line_is_back(browser: Browser, chain: Chain) -> None:
    async with Counter(chain, SHOPS[0]) as here, Counter(chain, SHOPS[1]) as there:
        for at in (here, there):
            await at.sign_in()
            await at.till.ask_for_member(WANG.number)
            await at.till.do("clear")
        console = await open_face(browser, chain.ports[SHOPS[1]], "console", DESK)
        await expect(console.at("sync")).to_have_attribute("data-online", "true", timeout=PATIENCE_MS)
        worst = console.at("worst")
        await expect(worst).to_have_attribute("data-points", "0", timeout=PATIENCE_MS)
        # Central sets a share of a member aside for each shop that sees them.
        await there.fill_basket()
        await there.pay()
        await expect(console.at("leased")).not_to_have_text("0", timeout=BACK_MS)
        leased = await figure(console, "leased")
        await there.settled()
        before = await there.points()
        await here.until_in_step(before)

        await make_line(console, "cut")
        for at in (here, there, there):
            await at.fill_basket()
            await at.pay()
        await expect(console.at("sync")).to_have_attribute("data-online", "false", timeout=BACK_MS)
        await expect(console.at("unsynced")).to_have_text("2")
        await expect(worst).to_have_attribute("data-shops", "1", timeout=PATIENCE_MS)
        bound = int(await worst.get_attribute("data-points") or 0)
        assert bound >= COFFEE_POINTS and f"{bound:,}" in await worst.inner_text()
        gained_here, gained_there = await here.points() - before, await there.points() - before
        assert 0 < gained_here < gained_there, "each shop knows what was earned there, and nothing else"
        for at in (here, there):
            await at.redeem()
        await expect(console.at("unsynced")).to_have_text("3", timeout=PATIENCE_MS)
        await console.picture("two-shops-apart")
        assert await there.points() == before + gained_there - COFFEE_POINTS
        assert await figure(console, "leased") == leased - COFFEE_POINTS, "the lease has paid"

        await make_line(console, "well")
        await expect(console.at("sync")).to_have_attribute("data-online", "true", timeout=BACK_MS)
        await expect(console.at("unsynced")).to_have_text("0", timeout=BACK_MS)
        await expect(worst).to_have_attribute("data-points", "0", timeout=BACK_MS)
        for at in (here, there):
            await at.until_in_step(before + gained_here + gained_there - 2 * COFFEE_POINTS)
        assert console.complaints == []
        await console.close()


async def test_what_both_did_apart_is_listed_in_plain_words(browser: Browser) -> None:
    """A coupon is good in any shop that knows of it; both take it while they cannot hear each other (X3)."""
    async with (
        running_chain(assets.config_folder() / "examples" / "offers.toml") as chain,
        Counter(chain, SHOPS[0]) as here,
        Counter(chain, SHOPS[1]) as there,
    ):
        for at in (here, there):
            await at.sign_in()
        await here.till.do("enter", text=WANG.number)
        await here.till.do("enter", text="FIVE")
        await here.till.until(lambda s: s["member"] and s["member"]["coupons"] == 1, "nothing was claimed")
        await here.till.do("clear")
        await there.till.ask_for_member(WANG.number)
        await there.till.until(lambda s: s["member"]["coupons"] == 1, "the other shop knows of no coupon")
        await there.till.do("clear")
        console = await open_face(browser, chain.ports[SHOPS[0]], "console", DESK)
        await expect(console.at("sync")).to_have_attribute("data-online", "true", timeout=PATIENCE_MS)
        await expect(console.at("differences")).to_have_count(0)

        await make_line(console, "cut")
        for at in (here, there):
            await at.fill_basket()
            await at.pay()
            assert "7.00" in at.till.snapshot["last_sale"]["total"], "the coupon pays 5 of 12"
        await make_line(console, "well")
        differences = console.at("differences")
        await expect(differences).to_have_count(1, timeout=BACK_MS)
        await differences.locator("summary").click()
        await expect(differences.locator("li")).to_have_count(1)
        await expect(differences).to_contain_text("断线期间同一张优惠券被再次使用")
        await expect(differences).to_contain_text("两笔销售都有效")
        await console.picture("two-shops-differ")
        assert console.complaints == []
        await console.close()


async def figure(console: Face, name: str) -> int:
    return int((await console.at(name).inner_text()).replace(",", ""))


async def make_line(console: Face, choice: str) -> None:
    """Click what the line to central is to be, and wait until the dock says that it is."""
    await console.at(f"dock-network-{choice}").click()
    await expect(console.at("dock-network")).to_have_attribute("data-state", choice, timeout=PATIENCE_MS)
