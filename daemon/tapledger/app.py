"""The composition root: builds one shop's daemon from its settings, and the loops that one reads first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiohttp import web

from tapledger import texts
from tapledger.clock import Clock
from tapledger.devices import cards
from tapledger.devices.prints import PRINTER_ROLE, PrintLoop
from tapledger.devices.supervisor import DeviceState, DeviceSupervisor
from tapledger.errors import Invalid, TapledgerError, Unavailable
from tapledger.identifiers import Randomness
from tapledger.membership import catalogue, night, programs, slips
from tapledger.membership.shop import Shop
from tapledger.settings import Settings
from tapledger.store import keyring
from tapledger.store.store import Store
from tapledger.sync.loop import SyncLoop, SyncState
from tapledger.web import kiosk_api, problems
from tapledger.web.console import ConsoleFace, Machine
from tapledger.web.desk_api import DeskApi
from tapledger.web.kiosk import KioskFace
from tapledger.web.live import LiveFeed
from tapledger.web.server import Server
from tapledger.web.snapshots import DeviceLight, DeviceView, SyncView
from tapledger.web.till import TillFace
from tapledger.web.till_api import TillApi
from tapledger.web.till_views import Around
from tapledger.web.views import Lights
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.ports import CardPresented, CardTorn, Driver, Scan, TrustPolicy
from tapledger_drivers.registry import create_driver

log = structlog.get_logger()

NIGHT_WORK_EVERY_S = 3600.0
KIOSK_READER, TILL_READER, TILL_SCANNER = "kiosk-reader", "till-reader", "till-scanner"


async def open_shop(settings: Settings, clock: Clock, randomness: Randomness) -> Shop:
    """Open the store, the rules and the articles; raise ``TapledgerError`` when one cannot be used."""
    source = programs.load(settings.files.program)
    assert source.program is not None
    try:
        with settings.files.catalogue.open(encoding="utf-8-sig", newline="") as file:
            articles = catalogue.read(file, source.program.currency)
    except FileNotFoundError as error:
        raise Invalid("CONFIG_MISSING", path=str(error.filename)) from error
    keys = keyring.load(settings.store.folder)
    store = await Store.open(settings.store.folder, keys)
    try:
        program, coming = await programs.choose(store, source, clock.now())
    except BaseException:
        await store.close()
        raise
    shop = settings.shop
    return Shop(store, program, articles, clock, randomness, shop.name, shop.language, coming)


class Daemon:
    """One shop: devices, faces, prints and sync around one store."""

    def __init__(
        self,
        shop: Shop,
        settings: Settings,
        build: Callable[[DeviceConfig, TrustPolicy], Driver] = create_driver,
    ) -> None:
        self.shop = shop
        self._settings = settings
        clock = shop.clock
        self.live = LiveFeed(clock.monotonic_s)
        trust = SignedTokenPolicy(shop.store.keyring.token_keys)
        configs = [DeviceConfig(d.role, d.driver, dict(d.options)) for d in settings.devices]
        self.devices = DeviceSupervisor(
            configs, lambda config: build(config, trust), clock, self._around_changed
        )
        self.prints = PrintLoop(shop, self.devices, self._slip_settled)
        self.sync = SyncLoop(shop.store, shop.store.keyring, settings.central, clock, shop.randomness)
        self.sync.on_change = self._sync_changed
        self._tasks: set[asyncio.Task[None]] = set()
        self.kiosk = KioskFace(
            shop, self.live, settings.kiosk, lambda: self._lights(KIOSK_READER), self._recorded
        )
        self.till = TillFace(shop, self.live, self._around_till, self._recorded)
        machine = Machine(self._device_views, self._sync_view, self.devices.wake, self._test_print)
        self.console = ConsoleFace(shop, self.live, machine)
        self.live.on_painted = self.console.changed

    def server(self, more: Sequence[web.RouteDef] = ()) -> Server:
        routes = [
            *kiosk_api.routes(self.kiosk),
            *TillApi(self.till, self.shop.randomness).routes(),
            *self.console.routes(),
            *DeskApi(self.shop, lambda: self.console.language, self._desk_acted).routes(),
            *more,
        ]
        return Server(self.live, routes, self._language_of)

    async def run(self, started: Callable[[int], None], more: Sequence[web.RouteDef] = ()) -> None:
        """Serve until cancelled; ``started`` is told the port once the faces answer."""
        self.sync.state = SyncState(
            last_contact=await self.shop.store.heard_from_central(), unsynced=await self.shop.store.unsynced()
        )
        await self.till.open()
        self.kiosk.refresh()
        server = self.server(more)
        await server.start(self._settings.web.port)
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (
                    self.devices.run(),
                    self.serve_taps(),
                    self.serve_scans(),
                    self.prints.run(),
                    self.console.run(),
                    self.sync.run(),
                    self.night_work(),
                    self.change_programs(),
                ):
                    group.create_task(loop)
                started(server.port)
        finally:
            await server.stop()

    async def serve_taps(self) -> None:
        """Every card, from the reader to the face of its role."""
        async for tap in self.devices.taps():
            if isinstance(tap.event, CardPresented):
                await self._card(tap.role, tap.event)
                self.devices.note(tap.role, "card")
            elif isinstance(tap.event, CardTorn):
                await self._card_trouble(tap.role, cards.torn(tap.event), tap.event.seen_at_s)
                self.devices.note(tap.role, f"torn ({tap.event.reason})")
            else:
                self.devices.note(tap.role, "card removed")

    async def _card(self, role: str, event: CardPresented) -> None:
        try:
            presented = cards.presented(event)
            if role == KIOSK_READER:
                await self.kiosk.card(presented, event.seen_at_s)
            else:
                await self.till.card(presented)
        except TapledgerError as error:
            await self._card_trouble(role, error, event.seen_at_s)

    async def _card_trouble(self, role: str, error: TapledgerError, seen_at_s: float) -> None:
        if role == KIOSK_READER:
            await self.kiosk.card_trouble(error, seen_at_s)
        else:
            await self.till.trouble(error)

    async def serve_scans(self) -> None:
        """Every code, from the scanner to the till's one box."""
        async for scan in self.devices.scans():
            try:
                if isinstance(scan.event, Scan):
                    self.devices.note(scan.role, "code")
                    await self.till.enter(scan.event.text)
                else:
                    self.devices.note(scan.role, f"refused ({scan.event.reason})")
                    raise Invalid(f"SCAN_{scan.event.reason.upper()}", length=scan.event.length)
            except TapledgerError as error:
                await self.till.trouble(error)

    async def night_work(self) -> None:
        """Now and then, whatever the calendar has made due."""
        while True:
            done = await night.run(self.shop)
            if done.anything:
                self._recorded()
            if done.failed or done.waits_for_clock:
                log.warning("night work waits", failed=done.failed, clock=done.waits_for_clock)
            await asyncio.sleep(NIGHT_WORK_EVERY_S)

    async def change_programs(self) -> None:
        """A version of the programme counts from its instant on, whoever looks at a screen then."""
        while True:
            await asyncio.sleep(programs.wait_s(self.shop))
            if programs.take_effect(self.shop):
                self._around_changed()

    # What one part tells another.
    def _recorded(self) -> None:
        """Something was committed: print it and tell central."""
        self.prints.poke()
        self.sync.poke()
        self.console.changed()

    def _desk_acted(self) -> None:
        """Somebody gave a command by name: whoever is served at a face may have other points now."""
        self._recorded()
        self._sync_changed()

    async def _slip_settled(self, job: str) -> None:
        await self.kiosk.slip_settled(job)
        await self.till.slip_settled(job)
        self.console.changed()

    def _around_changed(self) -> None:
        self.prints.poke()
        self.kiosk.refresh()
        self.till.refresh()
        self.console.changed()

    def _sync_changed(self) -> None:
        """Sync goes otherwise, or another shop did something: show it, also where that member is served."""
        self.shop.reachable = self.sync.state.online and self.sync.state.problem is None
        self._around_changed()
        for face in (self.kiosk, self.till):
            task = asyncio.get_running_loop().create_task(face.greet_again())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _test_print(self, role: str) -> None:
        if role != PRINTER_ROLE or self.devices.printer(role) is None:
            raise Unavailable("PRINTER_NOT_THERE")
        slip = slips.Slip(kind="test", language=self.console.language)
        job = f"test-{self.shop.new_id()}"
        await self.shop.store.transact(lambda tx: slips.enqueue(tx, self.shop, job, slip))
        self._recorded()

    # What the faces show of the rest.
    def _light(self, role: str) -> DeviceLight:
        state = self.devices.states.get(role)
        if state is None or state.info is None:
            return "missing"
        return "ok" if state.link == "online" else "trouble"

    def _lights(self, reader: str) -> Lights:
        return Lights(
            self._light(reader), self._light(PRINTER_ROLE), self._light(TILL_SCANNER), self._as_of()
        )

    def _as_of(self) -> str | None:
        state = self.sync.state
        if state.online or state.last_contact is None:
            return None
        return f"{state.last_contact.astimezone(self.shop.program.zone()):%H:%M}"

    def _around_till(self) -> Around:
        return Around(self._lights(TILL_READER), self.sync.state.online, self.sync.state.unsynced)

    def _sync_view(self, language: str) -> SyncView:
        state = self.sync.state
        return SyncView(
            enrolled=self.shop.store.keyring.enrolled,
            online=state.online,
            unsynced=state.unsynced,
            last_contact="" if state.last_contact is None else state.last_contact.isoformat(),
            problem=None if state.problem is None else problems.problem(language, state.problem),
        )

    def _device_views(self, language: str) -> list[DeviceView]:
        return [device_view(state, language) for state in self.devices.states.values()]

    def _language_of(self, path: str) -> str:
        """Return the language of the face a request belongs to."""
        if path.startswith("/api/kiosk"):
            return self.kiosk.language
        return self.till.language if path.startswith("/api/till") else self.console.language


def device_view(state: DeviceState, language: str) -> DeviceView:
    """Say in one sentence how a device is and what to do next."""
    key = f"device.{state.reason or state.link}"
    if key not in texts.catalogue(language):
        key = "device.other"
    return DeviceView(
        role=state.role,
        driver=state.driver,
        model="" if state.info is None else state.info.model,
        address="" if state.info is None else state.info.address,
        link=state.link,
        activity="error" if state.reason else "busy" if state.busy else "idle",
        reason=state.reason,
        sentence=texts.say(language, key, reason=state.reason, detail=state.detail),
        next_step=texts.say(language, f"{key}.next", detail=state.detail),
        last_event=state.last_event,
        opened=state.opened,
        virtual=state.info is not None and state.info.virtual,
    )
