"""One shop of the demo as people see it: its console, kiosk and till in a browser, its devices at hand."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from playwright.async_api import APIResponse, Browser, Locator, expect
from playwright.async_api import TimeoutError as PageTimeout

from tapledger import texts
from tapledger.devices.reasons import REASONS, cause_of
from tapledger.lab.chain import Chain
from tapledger.lab.seed import CASHIER, CASHIER_PIN, WATER
from tests.browser.conftest import KIOSK, TILL, Face, open_face
from tests.browser.fault_table import KIOSK_READER, PRINTER, SCANNER, TILL_READER, USABLE_S, Shows, Use

ROOT = Path(__file__).parents[2]
LANGUAGE = "zh-Hans"
SAID_AT_KIOSK = ".screen > .welcome, .screen > .invite, .screen > .notice"
"""Not all of the screen: some of it is only drawn ahead, where nobody sees it."""
DESK = (1440, 1000)
LOOK_MS = 30
LONGEST_S = 20.0
USE_S = 4.0
"""A tap, a scan or a slip while all is well."""
ALL_PRINTED = """() => !document.querySelector(
    '[data-kind="test"]:is([data-state="queued"], [data-state="sending"])')"""
NEWER_SLIP = """(than) => [...document.querySelectorAll('[data-testid^="dock-slip-"]')].some(
    (slip) => Number(slip.dataset.testid.split("-").pop()) > than)"""
SAYS = """([place, words]) => {
    for (const element of document.querySelectorAll(place)) {
        const text = element.innerText;
        if (element.checkVisibility() && words.some((word) => text.includes(word))) return text;
    }
    return null;
}"""
THING = {
    TILL_READER: "reader",
    SCANNER: "scanner",
    PRINTER: "printer",
    "customer-display": "display",
    "till-light": "light",
}
"""What the till calls the devices that it works with."""
KIOSK_PRINTER = {plain: f"kiosk.trouble.{plain}" for plain in ("paper_out", "cover_open", "paper_low")}
ENGLISH = re.compile(r"[A-Za-z]{3,}")
NAMES = re.compile(r"pcscd|sudo systemctl (re)?start|USB|PIN|GBK|AIM|Tea Hill|Riverside|English|MemberPoints")
"""What is written in Latin letters in every language."""
CODES = [reason for reason in REASONS if "_" in reason] + ["undefined", "NaN", "[object"]


class Unseen(AssertionError):
    """Something that people should see did not come in time."""


def said(key: str) -> str:
    """Return a text of the faces."""
    return _faces()[key]


@cache
def _faces() -> dict[str, str]:
    with (ROOT / "kiosk_ui" / "locales" / f"{LANGUAGE}.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


class ShopFloor:
    """The three faces of a shop, and hands that lay cards, scan and pull faults."""

    def __init__(self, chain: Chain, shop: str, console: Face, kiosk: Face, till: Face) -> None:
        self.shop = shop
        self.console, self.kiosk, self.till = console, kiosk, till
        self._bench = chain.benches[shop]
        self._origin = f"http://localhost:{chain.ports[shop]}"
        self._pcscd, self._dock = asyncio.Lock(), asyncio.Lock()

    @asynccontextmanager
    async def alone(self, role: str) -> AsyncIterator[None]:
        """Readers behind pcscd are broken one after the other: they share it."""
        if self._bench.devices[role].driver == "pcsc":
            async with self._pcscd:
                yield
        else:
            yield

    # ---- hands -----------------------------------------------------------------------------------------
    async def pull(
        self, role: str, verb: str, *, on: bool, amount: int | None = None, by_hand: bool = False
    ) -> None:
        """Pull a fault by its switch in the dock, or as that switch does."""
        if by_hand:
            async with self._dock:
                await self._press(role, verb, on)
        else:
            await self._post("dock/fault", {"device": role, "verb": verb, "on": on, "amount": amount})

    async def _press(self, role: str, verb: str, on: bool) -> None:
        faults = self.console.at(f"dock-faults-{role}")
        if await faults.get_attribute("open") is None:
            await faults.locator("summary").click()
            await expect(faults).to_have_attribute("open", "")
        switch = self.console.at(f"dock-fault-{role}-{verb}")
        await switch.click()
        await expect(switch).to_have_attribute("aria-pressed", str(on).lower())

    async def use(self, role: str, use: Use, *, works: bool = False) -> None:
        """Use a device; what only the console has it do must end well if it ``works``."""
        match use:
            case "tap":
                await self._post("dock/insert", {"reader": role, "card": self._card(role)})
            case "scan":
                await self._post("dock/scan", {"text": WATER})
            case "slip":
                await self.console.at("test-print").click()
            case "check":
                await self._check(role, works)

    async def _check(self, role: str, works: bool) -> None:
        device = self.console.at(f"device-{role}")
        opened = int(await device.get_attribute("data-opened") or 0)
        path, body = f"devices/{role}/health", {"level": "external"}
        try:
            done = await self._post(path, body)
        except Refused:
            if not works:
                return
            # A line that nobody reads is found to be another one by its use, and opened anew then.
            again = re.compile(rf"^(?!{opened}$)")
            await expect(device).to_have_attribute("data-opened", again, timeout=USABLE_S * 1000)
            await self.well(role, USABLE_S)
            done = await self._post(path, body)
        found = await done.json()
        if works and not found["ok"]:
            raise Unseen(f"{role} did not do it: {found}")

    async def put_away(self, role: str) -> None:
        """Take the card away, and wait until the shop has seen it go."""
        if role not in (KIOSK_READER, TILL_READER) or self._bench.devices[role].card is None:
            return
        await self._post("dock/remove", {"reader": role})
        removed = texts.say(LANGUAGE, "device.event.removed")
        with contextlib.suppress(TimeoutError):  # a reader that hangs sees nothing
            await asyncio.wait_for(
                self._until(self.console, f'[data-testid="device-{role}"]', [removed]), 1.5
            )

    def _card(self, role: str) -> str:
        return "wang" if role == KIOSK_READER else "li"

    async def _post(self, path: str, body: dict[str, Any]) -> APIResponse:
        done = await self.till.page.request.post(
            f"{self._origin}/api/{path}", data=body, headers={"Origin": self._origin}
        )
        if not done.ok:
            raise Refused(f"{path} {body}: {await done.text()}")
        return done

    # ---- eyes ------------------------------------------------------------------------------------------
    async def shown(self, role: str, shows: Shows) -> None:
        """Wait until every face that has to do with a device says what is wrong with it, in words alone."""
        if shows.reasons:
            plain = {cause_of(reason).plain for reason in shows.reasons}
            waiting = [self._console_says(role, shows.reasons)]
            if role in (KIOSK_READER, PRINTER):
                waiting.append(self._kiosk_says(role, plain))
            if role in THING:
                words = [said(f"till.plain.{one}") for one in plain]
                waiting.append(self._told(self.till, f'[data-testid="trouble-{THING[role]}"]', words))
            await asyncio.gather(*waiting)
        elif shows.problems:
            # A sentence may hold a figure, so what stands before it is looked for.
            sentences = [
                texts.catalogue(LANGUAGE)[f"problem.{code}"].partition("{")[0] for code in shows.problems
            ]
            at_kiosk = role == KIOSK_READER
            face, place = (self.kiosk, SAID_AT_KIOSK) if at_kiosk else (self.till, '[data-testid="message"]')
            await self._told(face, place, sentences)
        elif shows.works:
            await self._went_well(role, shows.use)

    async def _console_says(self, role: str, reasons: tuple[str, ...]) -> None:
        sentences = [texts.say(LANGUAGE, f"device.{reason}") for reason in reasons]
        await self._told(self.console, f'[data-testid="device-{role}"] .trouble', sentences)

    async def _kiosk_says(self, role: str, plain: Iterable[str]) -> None:
        keys = {KIOSK_PRINTER.get(one, "kiosk.trouble.printer") for one in plain}
        words = [said("kiosk.trouble.reader")] if role == KIOSK_READER else [said(key) for key in keys]
        await self._told(self.kiosk, SAID_AT_KIOSK, words)

    async def _went_well(self, role: str, use: Use) -> None:
        match use:
            case "tap" if role == KIOSK_READER:
                await self._until(self.kiosk, '[data-screen="balance"]', ["**"])
            case "tap":
                await self._until(self.till, '[data-testid="member"]', ["**"])
            case "scan":
                await self._until(self.till, '[data-testid="line-1"]', [WATER])
            case "slip":
                await self._newer_slip(self._newest_slip(), LONGEST_S)
                await self._until(
                    self.console, '[data-kind="test"]:first-of-type', [said("console.print.printed")]
                )
            case "check":
                await self.well(role, USABLE_S)

    async def well(self, role: str, within_s: float) -> None:
        """Wait until nothing is wrong with a device on any face."""
        try:
            await self.console.page.wait_for_selector(
                f'[data-testid="device-{role}"][data-link="online"]', timeout=within_s * 1000
            )
        except PageTimeout:
            raise Unseen(
                f"{role} is not well: {await self.console.at(f'device-{role}').inner_text()}"
            ) from None
        for face in (self.kiosk, self.till):
            gone = self._troubles(face, role)
            try:
                await gone.wait_for(state="detached", timeout=within_s * 1000)
            except PageTimeout:
                raise Unseen(f"it still says {await gone.inner_text()}") from None

    def _troubles(self, face: Face, role: str) -> Locator:
        if face is self.till:
            return face.at(f"trouble-{THING.get(role, 'none')}")
        return face.at({KIOSK_READER: "badge-reader", PRINTER: "badge-printer"}.get(role, "none"))

    async def says_nothing_wrong(self, role: str) -> None:
        """A fault that nobody can know of: the dock alone tells of it."""
        await self.console.page.wait_for_selector(
            f'[data-testid="dock-faults-{role}"][data-broken="true"]', timeout=2000
        )
        await self.well(role, 1.0)

    async def there(self, role: str) -> list[str]:
        """Return what the faces say of a device now."""
        places = [self.console.at(f"device-{role}").locator(".axes, .trouble")]
        places += [self._troubles(face, role) for face in (self.kiosk, self.till)]
        return [text for place in places for text in await place.all_inner_texts()]

    async def works(self, role: str) -> None:
        """Use a device as its people do, and leave everything as it was."""
        if role == KIOSK_READER:
            await self._at_start()
            await self.use(role, "tap")
            await self._soon(role, "tap")
            await self.put_away(role)
            await self._at_start()
        elif role == TILL_READER:
            await self.use(role, "tap")
            await self._soon(role, "tap")
            await self.put_away(role)
            await self._post("till/member-off", {})
        elif role == SCANNER:
            await self._post("till/clear", {})
            await self.till.at("line-1").wait_for(state="detached")
            await self.use(role, "scan")
            await self._soon(role, "scan")
            await self._post("till/clear", {})
        elif role == PRINTER:
            newest = self._newest_slip()
            await self.use(role, "slip")
            await self._newer_slip(newest, USE_S)
        else:
            await self.use(role, "check", works=True)

    def _newest_slip(self) -> int:
        newest = self._bench.dock().slips[:1]
        return newest[0].number if newest else 0

    async def _newer_slip(self, than: int, within_s: float) -> None:
        """Wait until another slip hangs in the dock."""
        try:
            await self.console.page.wait_for_function(NEWER_SLIP, arg=than, timeout=within_s * 1000)
            # What breaks in the middle of a slip is told when the slip is given up: another story.
            await self.console.page.wait_for_function(ALL_PRINTED, timeout=within_s * 1000)
        except PageTimeout:
            raise Unseen(f"no slip came out after slip {than}") from None

    async def _soon(self, role: str, use: Use) -> None:
        async with asyncio.timeout(USE_S):
            await self._went_well(role, use)

    async def _at_start(self) -> None:
        with contextlib.suppress(Refused):  # nobody is there
            await self._post("kiosk/finish", {})
        await self.kiosk.page.wait_for_selector('[data-screen="attract"]', timeout=4000)

    async def settle(self, role: str, verb: str) -> None:
        """After a row that failed: end its fault, whatever it was, and let the next one begin."""
        with contextlib.suppress(Exception):
            await self.put_away(role)
            await self._bench.pull(role, verb, on=False)
        with contextlib.suppress(Exception):
            await self._bench.pull(role, "replug")
            await self.well(role, 5.0)
        with contextlib.suppress(Exception):
            await self._post("kiosk/finish", {})

    async def _told(self, face: Face, place: str, words: list[str]) -> None:
        """Wait until a place says one of some words; hold that nothing there is code or English."""
        text = NAMES.sub("", await self._until(face, place, words))
        wrong = [code for code in CODES if code in text] + ENGLISH.findall(text)
        assert not wrong, f"{wrong} in {text}"

    async def _until(self, face: Face, place: str, words: list[str]) -> str:
        """Wait until a place says one of some words and return all that it says.

        It looks often, for some trouble is over soon.
        """
        try:
            found = await face.page.wait_for_function(
                SAYS, arg=[place, words], polling=LOOK_MS, timeout=LONGEST_S * 1000
            )
        except PageTimeout:
            there = await face.page.locator(place).all_inner_texts()
            raise Unseen(f"{words} not seen, there is {there}") from None
        return str(await found.json_value())

    def complaints(self) -> list[str]:
        return [*self.console.complaints, *self.kiosk.complaints, *self.till.complaints]


class Refused(Exception):
    """The shop did not do what was asked."""


@asynccontextmanager
async def open_floor(browser: Browser, chain: Chain, shop: str) -> AsyncIterator[ShopFloor]:
    port = chain.ports[shop]
    faces = [
        await open_face(browser, port, face, size)
        for face, size in (("console", DESK), ("kiosk", KIOSK), ("till", TILL))
    ]
    floor = ShopFloor(chain, shop, *faces)
    await floor._post("till/sign-in", {"staff": CASHIER, "pin": CASHIER_PIN})
    try:
        yield floor
    finally:
        await floor._post("till/sign-out", {})
        for face in faces:
            await face.close()
