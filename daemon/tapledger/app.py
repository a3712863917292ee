"""The composition root: builds one shop's daemon from its settings, and the loops that one reads first."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from typing import Literal

import structlog
from aiohttp import web

from tapledger.clock import Clock, boot_id
from tapledger.devices import scanner_setup
from tapledger.devices.claims import Claims
from tapledger.devices.discovery.watch import live_discovery
from tapledger.devices.events import DeviceEvents
from tapledger.devices.printing import Printing
from tapledger.devices.receipts import status
from tapledger.devices.receipts.shift import shift_slip
from tapledger.devices.recording import Recordable, Recordings
from tapledger.devices.roles import (
    CASH_DRAWER,
    KIOSK_READER,
    KIOSK_SCANNER,
    RECEIPT_PRINTER,
    TILL_READER,
    TILL_SCANNER,
)
from tapledger.devices.supervisor import DeviceSupervisor
from tapledger.errors import Invalid, Unavailable
from tapledger.floor import paper_views, told_devices, views
from tapledger.floor.head_office import HeadOffice
from tapledger.floor.safekeeping import Safekeeping
from tapledger.floor.serving import Serving
from tapledger.floor.voice import Voice
from tapledger.floor.workshop import Technician
from tapledger.hub.hub import ShopHub
from tapledger.identifiers import Randomness
from tapledger.loyalty.sales import catalogue
from tapledger.membership import night, programs, received, restoring, slips
from tapledger.membership.phone_codes import PhoneCodes
from tapledger.membership.shifts import Report
from tapledger.membership.shop import Shop
from tapledger.settings import Settings
from tapledger.store import keyring
from tapledger.store.store import Store
from tapledger.web import (
    devices_api,
    help_call,
    help_pages,
    print_api,
    recordings_api,
    scanner_setup_api,
)
from tapledger.web.console import ConsoleFace, Machine
from tapledger.web.counter import TILL
from tapledger.web.desk_api import DeskApi
from tapledger.web.display import CustomerDisplay
from tapledger.web.kiosk import api as kiosk_api
from tapledger.web.kiosk.face import KioskFace, Surroundings
from tapledger.web.live import LiveFeed
from tapledger.web.print_api import PrinterAtHand
from tapledger.web.recordings_api import Tapes
from tapledger.web.scanner_setup_api import SetupSheets
from tapledger.web.server import Server
from tapledger.web.snapshots import DeviceLight, PhoneCode
from tapledger.web.till import TillFace
from tapledger.web.till_api import TillApi
from tapledger.web.till_views import Around
from tapledger.web.views import Lights
from tapledger_drivers.cards.trust.signed_token import SignedTokenPolicy
from tapledger_drivers.cassettes.watching import WatchedTrust
from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.io import Io
from tapledger_drivers.ports import Driver, TrustPolicy
from tapledger_drivers.registry import Sibling, create_driver
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

log = structlog.get_logger()

NIGHT_WORK_EVERY_S = 3600.0

Build = Callable[[DeviceConfig, TrustPolicy, Io, Callable[[str], Sibling | None]], Driver]


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
    store = await Store.open(settings.store.folder, keys, ballast_bytes=settings.store.ballast_mb << 20)
    try:
        source, articles = await received.prefer(store, source, articles)
        settings = await told_devices.fitted(settings, store)
        program, coming = await programs.choose(store, source, clock.now())
    except BaseException:
        await store.close()
        raise
    shop = settings.shop
    has_drawer = settings.till.drawer or any(one.role == CASH_DRAWER for one in settings.devices)
    opened = Shop(
        store,
        program,
        articles,
        clock,
        randomness,
        shop.name,
        shop.language,
        coming,
        boot=boot_id(),
        has_drawer=has_drawer,
    )
    store.on_restored = functools.partial(restoring.settle, opened)
    return opened


class Daemon:
    """One shop: devices, faces, prints and sync around one store."""

    def __init__(
        self,
        shop: Shop,
        settings: Settings,
        build: Build = create_driver,
        make_io: Callable[[str, Traffic], Io] = LiveIo,
    ) -> None:
        self.shop, self._settings = shop, settings
        clock = shop.clock
        self.live = LiveFeed(clock.monotonic_s)
        trust = SignedTokenPolicy(shop.store.keyring.token_keys)
        configs = [DeviceConfig(d.role, d.driver, dict(d.options)) for d in settings.devices]
        self.events = DeviceEvents(shop.store, clock, shop.randomness)
        self.recordings = Recordings(clock, shop.randomness)
        self.claims = Claims(clock, self._is_serving, self._claim_changed)
        self.devices = DeviceSupervisor(
            configs,
            lambda config, io, sibling: self.recordings.wrap(
                config.role,
                build(self.discovery.resolve(config), WatchedTrust(trust, io.traffic), io, sibling),
                io.traffic,
            ),
            clock,
            self._around_changed,
            self.events,
            self.claims.holder,
            make_io,
        )
        self.recordings.devices = {
            config.role: Recordable(
                config,
                self.devices.traffic[config.role],
                functools.partial(self._info, config.role),
                functools.partial(self.devices.reopen, config.role),
            )
            for config in configs
        }
        self.discovery = live_discovery(configs, self.devices.wake)
        self.prints = Printing(
            shop, self.devices, settings, self._slip_settled, self._around_changed, self._status_slip
        )
        self.office = HeadOffice(shop, settings.central, clock)
        self.office.on_change = self._office_changed
        self.hub = ShopHub(shop, settings, self.office.push, self._recorded)
        self._tasks: set[asyncio.Task[None]] = set()
        self._console_address = ""
        self.help, self.codes = help_call.HelpCall(), PhoneCodes(clock, shop.randomness)
        self.help.on_change = self.codes.on_change = self._around_changed
        self.voice = Voice(on=settings.kiosk.speaks)
        at_kiosk = functools.partial(self._lights, "kiosk")
        around = Surroundings(at_kiosk, self._recorded, self.help, self.codes, self.voice.ready)
        self.kiosk = KioskFace(shop, self.live, settings.kiosk, around)
        display = CustomerDisplay(shop, self.live, lambda: self._lights("till").simulated)
        self.till = TillFace(shop, self.live, self._around_till, self._recorded, display, self._report_slip)
        self.technician = Technician(
            self.devices, self.events, self.claims, clock, lambda: self.console.language, self._around_changed
        )
        machine = Machine(
            self.technician.devices,
            self.technician.repairs,
            self.office.view,
            self.devices.wake,
            self._test_print,
            lambda language: paper_views.paper_view(self.prints.paper.forecast(), language),
        )
        self.console = ConsoleFace(shop, self.live, machine)
        self.serving = Serving(shop, self.devices, self.events, self.kiosk, self.till)
        self.safekeeping = Safekeeping(settings.store.folder, shop.store.keyring, settings.backup, clock)
        self.live.on_painted = self.console.changed
        self.live.on_left = self.claims.left

    def server(self, more: Sequence[web.RouteDef] = ()) -> Server:
        routes = [
            *kiosk_api.routes(self.kiosk, self.voice.say),
            *TillApi(self.till, self.shop.randomness).routes(),
            *help_call.routes(self.help, self.till.staffed.is_set),
            *self.console.routes(),
            *print_api.routes(self.shop, self._printer_at_hand(), self._slip_asked),
            *devices_api.routes(self.technician.api()),
            *recordings_api.routes(Tapes(self.recordings.start, self.recordings.stop)),
            *scanner_setup_api.routes(
                SetupSheets(scanner_setup.overview, scanner_setup.draw, self.technician.probe)
            ),
            *help_pages.routes(),
            *DeskApi(self.shop, lambda: self.console.language, self._desk_acted).routes(),
            *more,
        ]
        return Server(self.live, routes, self._language_of)

    async def run(self, started: Callable[[int], None], more: Sequence[web.RouteDef] = ()) -> None:
        """Serve until cancelled; ``started`` is told the port once the faces answer."""
        await self.office.recall()
        await self.till.open()
        await self.serving.recover()
        await self.kiosk.open()
        server = self.server(more)
        await server.start(self._settings.web.port)
        self._console_address = f"http://127.0.0.1:{server.port}/console"
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (
                    self.devices.run(),
                    self.discovery.run(),
                    self.claims.run(),
                    self.serving.serve_taps(),
                    self.serving.serve_scans(),
                    self.prints.run(),
                    self.console.run(),
                    self.office.run(),
                    self.hub.run(),
                    self.night_work(),
                    self.change_programs(),
                    self.safekeeping.run(),
                ):
                    group.create_task(loop)
                started(server.port)
        finally:
            await server.stop()

    async def night_work(self) -> None:
        """Now and then, whatever the calendar has made due."""
        while True:
            await asyncio.to_thread(self.shop.store.space.hold)
            try:
                done = await night.run(self.shop)
            except Unavailable as error:
                log.warning("night work waits for the disk", code=error.code)
            else:
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
        self.office.poke()
        self.console.changed()

    def _desk_acted(self) -> None:
        """Somebody gave a command by name: whoever is served at a face may have other points now."""
        self._recorded()
        self._office_changed()

    async def _slip_settled(self, job: str) -> None:
        try:
            await self.kiosk.slip_settled(job)
            await self.till.slip_settled()
        except Unavailable as error:
            log.warning("a face does not show what became of a slip", job=job, code=error.code)
        self.console.changed()

    def _slip_asked(self, job: str) -> None:
        """A technician gave their word for a slip, or wants one: tell the faces, and print."""
        self.prints.poke()
        self._tell(self._slip_settled(job))

    def _around_changed(self) -> None:
        self.prints.poke()
        self.kiosk.refresh()
        self.till.refresh()
        self.console.changed()

    def _office_changed(self) -> None:
        """Sync goes otherwise, or another shop did something: show it, also where that member is served."""
        self._around_changed()
        for face in (self.kiosk, self.till):
            self._tell(face.greet_again())

    def _tell(self, telling: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(telling)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _test_print(self, role: str) -> None:
        if role != RECEIPT_PRINTER or self.devices.printer(role) is None:
            raise Unavailable("PRINTER_NOT_THERE")
        slip = slips.Slip(kind="test", language=self.console.language)
        job = f"test-{self.shop.new_id()}"
        await self.shop.store.transact(lambda tx: slips.enqueue(tx, self.shop, job, slip))
        self._recorded()

    def _printer_at_hand(self) -> PrinterAtHand:
        return PrinterAtHand(
            lambda: self.prints.print_status(self.console.language), self.prints.paper.roll_changed
        )

    def _report_slip(self, report: Report, language: str) -> slips.Slip:
        return shift_slip(self.shop, report, TILL, language)

    def _status_slip(self, language: str) -> slips.Slip:
        sync = self.office.view(language)
        devices = [(one.role, one.sentence) for one in self.technician.devices(language)]
        central = status.Central(sync.enrolled, sync.online, sync.unsynced)
        return status.status_slip(self.shop, language, devices, central, self._console_address)

    # What the faces show of the rest.
    def _info(self, role: str) -> DeviceInfo | None:
        return self.devices.states[role].info

    def _light(self, role: str) -> DeviceLight:
        return views.light(self.devices.states.get(role))

    def _lights(self, face: Literal["kiosk", "till"]) -> Lights:
        kiosk = face == "kiosk"
        reader, scanner = (KIOSK_READER, KIOSK_SCANNER) if kiosk else (TILL_READER, TILL_SCANNER)
        return Lights(
            self._light(reader),
            self._light(RECEIPT_PRINTER),
            self._light(scanner),
            self.office.as_of(),
            views.is_simulated(self.devices.states, face),
            paper_views.paper_left(self.prints.paper.forecast()),
            views.troubles(self.devices.states, face),
        )

    def _is_serving(self, face: str) -> bool:
        return self.kiosk.serving if face == "kiosk" else self.till.serving

    def _claim_changed(self, role: str, what: str, who: str) -> None:
        self.technician.claim_changed(role, what, who)

    def _around_till(self) -> Around:
        sync = self.office.state
        return Around(
            self._lights("till"),
            sync.online,
            sync.unsynced,
            self.prints.drawer_open,
            self.help.state,
            tuple(PhoneCode(one.masked, one.code) for one in self.codes.waiting()),
        )

    def _language_of(self, path: str) -> str:
        """Return the language of the face a request belongs to."""
        if path.startswith("/api/kiosk"):
            return self.kiosk.language
        return self.till.language if path.startswith("/api/till") else self.console.language
