"""However a session ends, nothing of the member stays in the page: heap, document, stores, history."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tapledger.lab.chain import Chain
from tapledger.lab.visitor import Visitor
from tests.browser.conftest import BRIEF, KIOSK, Face, open_face, running_browser, running_chain, take_away
from tests.browser.heap import STORES, WHOLE_STRINGS, Heap, Watch
from tests.browser.test_kiosk import on_screen

pytestmark = pytest.mark.asyncio(loop_scope="session")

READER = "kiosk-reader"
SHORT = {**BRIEF, "list_s": 3.0, "warning_s": 1.0}
"""A list is left soon, a balance is not: a test has all the time it needs to look at it."""
REWARD = "coffee"
EXPLAINED = 3
PATIENCE_MS = 10_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop() -> AsyncIterator[Chain]:
    async with running_chain(kiosk=SHORT) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def telling() -> AsyncIterator[Browser]:
    """Run a Chromium whose heap snapshots hold strings of any length."""
    async with running_browser(WHOLE_STRINGS) as running:
        yield running


class Visit:
    """A kiosk's page, somebody in front of it, and all that the page was told of them."""

    def __init__(self, chain: Chain, face: Face, watch: Watch, visitor: Visitor, before: Heap) -> None:
        self.chain, self.face, self.visitor = chain, face, visitor
        self._watch = watch
        self._before = "\0".join(before.strings)
        self.told: set[str] = set()

    async def tap(self, card: str) -> None:
        await self.chain.benches["shop-a"].insert(READER, card)
        await self.see("balance")

    async def see(self, screen: str) -> None:
        """Wait for a screen and note what of it the page had not heard before."""
        snapshot = await self.visitor.until(lambda now: now["screen"]["screen"] == screen, screen)
        await on_screen(self.face, screen)
        self.told |= {words for words in said(snapshot["screen"]) if words not in self._before}

    async def take_card(self) -> None:
        await take_away(self.chain)

    async def shown(self) -> None:
        """Hold that what is looked for can be found while it is there: the name and the points at least."""
        member = self.visitor.snapshot["screen"]["member"]["name"]
        found = (await self._watch.heap()).holding(self.told)
        assert member in found, f"{member} is on the screen, and the heap has only {found}"
        document = (await self._watch.kept())["document"]
        assert member in document
        assert [word for word in self.told if word in document] != [member]

    async def gone(self) -> None:
        """Hold that the first look after the end finds nothing; say what holds what is found."""
        assert self.told
        heap = await self._watch.heap()
        held = heap.holding(self.told)
        ways = "\n".join(heap.kept_by(word) for word in list(held)[:EXPLAINED])
        assert not held, f"{held}\n{ways}"
        kept = await self._watch.kept()
        everything = json.dumps(kept, ensure_ascii=False)
        assert [word for word in self.told if word in everything] == []
        assert {place: kept[place] for place in STORES if kept[place]} == {}
        assert len(kept["history"]) <= 2, "the page itself, and the empty one before it"
        assert self.face.cacheable == []


def said(value: object) -> Iterator[str]:
    """Yield every text of a screen, and numbers as a page writes them, where those are no common ones."""
    match value:
        case dict():
            for part in value.values():
                yield from said(part)
        case list():
            for part in value:
                yield from said(part)
        case str() if len(value) > 1:
            yield value
        case int() if value >= 1000:
            yield f"{value:,}"


@asynccontextmanager
async def visiting(browser: Browser, chain: Chain) -> AsyncIterator[Visit]:
    face = await open_face(browser, chain.ports["shop-a"], "kiosk", KIOSK)
    await on_screen(face, "attract")
    watch = await Watch.open(face)
    async with Visitor(chain.ports["shop-a"], "kiosk") as visitor:
        await visitor.until_screen("attract")
        visit = Visit(chain, face, watch, visitor, await watch.heap())
        try:
            yield visit
        finally:
            if chain.benches["shop-a"].devices[READER].card is not None:
                await visit.take_card()
            await visitor.do("finish")
            await on_screen(face, "attract")
            await face.close()


async def finish(visit: Visit) -> None:
    """After every screen that a session has."""
    for intent, screen in (("rewards", "rewards"), ("coupons", "coupons"), ("history", "history")):
        await visit.visitor.do(intent)
        await visit.see(screen)
    await visit.visitor.do("choose", reward=REWARD)
    await visit.see("confirm")
    await visit.visitor.do("confirm", reward=REWARD)
    await visit.see("done")
    assert visit.visitor.snapshot["screen"]["voucher"] in visit.told
    await visit.visitor.do("finish")
    await on_screen(visit.face, "attract")


async def idle(visit: Visit) -> None:
    await visit.visitor.do("rewards")
    await visit.see("rewards")
    await expect(visit.face.at("still-here")).to_be_visible()
    await on_screen(visit.face, "attract")


async def torn_card(visit: Visit) -> None:
    await visit.take_card()
    await visit.chain.benches["shop-a"].insert(READER, "torn")
    await on_screen(visit.face, "trouble")


async def killed_daemon(visit: Visit) -> None:
    """The page has lost its socket, and nobody answers it yet: then and afterwards nothing is there."""
    await visit.take_card()
    lost = expect(visit.face.page.locator('[data-feed="lost"]')).to_be_attached(timeout=PATIENCE_MS)
    waiting = asyncio.create_task(lost)
    await asyncio.sleep(0)
    visit.chain.shops["shop-a"].kill()
    await waiting
    await visit.gone()
    await visit.chain.shops["shop-a"].ready()


Ending = Callable[[Visit], Awaitable[None]]


@pytest.mark.parametrize("ending", [finish, idle, torn_card, killed_daemon])
async def test_nothing_stays_after(telling: Browser, shop: Chain, ending: Ending) -> None:
    async with visiting(telling, shop) as visit:
        await visit.tap("li")
        await visit.shown()
        await ending(visit)
        await visit.gone()


async def test_nothing_of_one_member_stays_while_the_next_is_served(telling: Browser, shop: Chain) -> None:
    async with visiting(telling, shop) as visit:
        await visit.tap("li")
        await visit.shown()
        first = set(visit.told)
        visit.told.clear()
        await visit.take_card()
        await visit.chain.benches["shop-a"].insert(READER, "wang")
        await visit.visitor.until(
            lambda now: now["screen"].get("member", {}).get("name", "").startswith("王"), "no other member"
        )
        await visit.see("balance")
        await visit.shown()
        visit.told = first - visit.told
        await visit.gone()


@pytest.mark.parametrize(
    "keeping",
    [
        "(words) => { window.kept = [words]; }",
        "(words) => { localStorage.setItem('kept', words); }",
        "(words) => { history.replaceState(words, ''); }",
        "(words) => { document.body.dataset.kept = words; }",
    ],
    ids=["heap", "storage", "history", "document"],
)
async def test_what_a_page_keeps_is_found(telling: Browser, shop: Chain, keeping: str) -> None:
    async with visiting(telling, shop) as visit:
        await visit.tap("li")
        await visit.face.page.evaluate(keeping, visit.visitor.snapshot["screen"]["member"]["name"])
        await visit.visitor.do("finish")
        await on_screen(visit.face, "attract")
        with pytest.raises(AssertionError, match=r"李|kept"):
            await visit.gone()
