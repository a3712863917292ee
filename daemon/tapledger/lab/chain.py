"""A chain on one machine: central and two shops as processes of their own, on virtual devices."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import tomlkit

from tapledger.errors import Unavailable
from tapledger.lab import seed, simulate
from tapledger.lab.bench.bench import Bench
from tapledger.lab.bench.sets import SETS
from tapledger.lab.network import FaultProxy
from tapledger.lab.processes import Child
from tapledger.store import lock
from tapledger.web.snapshots import DockCode
from tapledger_central.keys import load_or_make
from tapledger_drivers.emulators.reader_station import ReaderStation, StationUnavailable

SHOPS = ("shop-a", "shop-b")
SHOP_NAMES = {"shop-a": "茶山路店 Tea Hill", "shop-b": "江边店 Riverside"}


class Chain:
    """Everything that ``make run`` starts. ``ports``: central, shop A, shop B; 0 is any free one.

    ``kiosk`` are settings of that name, for those who cannot wait as long as a member may. ``offers`` are
    sections that are added to the programme of each shop that is founded. Central's rows are in its own file,
    or in the migrated PostgreSQL of ``database_url``.
    """

    def __init__(
        self,
        folder: Path,
        ports: tuple[int, int, int],
        say: Callable[[str], None],
        kiosk: dict[str, float | str] | None = None,
        offers: Path | None = None,
        database_url: str = "",
    ) -> None:
        self.folder = folder.absolute()
        self._say = say
        self._kiosk = kiosk or {}
        self._database_url = database_url
        self._offers = "" if offers is None else offers.read_text(encoding="utf-8")
        central, *shops = [port or _free_port() for port in ports]
        self.central_url = f"http://127.0.0.1:{central}"
        self.lines = {shop: FaultProxy(central) for shop in SHOPS}
        """The line of each shop to central: all that a shop knows of central is its end of it."""
        self.ports = dict(zip(SHOPS, shops, strict=True))
        self.benches: dict[str, Bench] = {}
        self.shops: dict[str, Child] = {}
        self.central: Child | None = None
        self._stations: dict[str, ReaderStation] = {}
        self._lock: IO[bytes] | None = None
        # Sockets need short paths, so they are not in the state folder.
        self._sockets = Path(tempfile.mkdtemp(prefix="tapledger-"))

    def config(self, shop: str) -> Path:
        return self.folder / shop / "daemon.toml"

    @property
    def station(self) -> ReaderStation | None:
        """The readers of shop A; None where no pcscd can run."""
        return self._stations.get(SHOPS[0])

    @property
    def central_folder(self) -> Path:
        return self.folder / "central"

    async def start(self) -> None:
        """Start all; on any failure stop what was started, then raise: ``Unavailable`` where another demo
        runs in this folder, which is left alone."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        try:
            self._lock = lock.take(self.folder)
        except Unavailable as error:
            raise Unavailable("DEMO_RUNS", folder=str(self.folder)) from error
        keys = load_or_make(self.central_folder, os.urandom)
        cards, codes = seed.demo_cards(keys), seed.demo_codes(self._offers)
        for line in self.lines.values():
            await line.start()
        await asyncio.gather(*(self._start_bench(shop, cards, codes) for shop in SHOPS))
        simulate.announce(self.folder, {shop: self.benches[shop].socket for shop in SHOPS})
        new = [shop for shop in SHOPS if not seed.is_complete(self.config(shop))]
        if new:
            await self._start_central()
            await self._seed(new)
            await asyncio.gather(*(self._start_shop(shop) for shop in SHOPS))
        else:
            await asyncio.gather(self._start_central(), *(self._start_shop(shop) for shop in SHOPS))

    async def stop(self) -> None:
        """Stop everything that was started, in the order in which it depends on each other."""
        await asyncio.gather(*(child.stop() for child in self.shops.values()))
        for line in self.lines.values():
            await line.close()
        if self.central is not None:
            await self.central.stop()
        if self._lock is not None:
            simulate.withdraw(self.folder)
        for bench in self.benches.values():
            await bench.close()
        for station in self._stations.values():
            await station.close()
        shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    async def _start_bench(self, shop: str, cards: list[seed.DemoCard], codes: list[DockCode]) -> None:
        """Set up a shop's devices; each shop has a pcscd of its own, as each has a computer of its own."""
        folder = self._sockets / shop
        folder.mkdir()
        try:
            self._stations[shop] = await ReaderStation.start(folder)
        except StationUnavailable as error:
            self._say(f"Card readers are simulated without pcscd ({error.reason}). {error.next_step}")
        bench = self.benches[shop] = Bench(
            SETS[shop](self._stations.get(shop)), cards, codes, folder, self.lines[shop]
        )
        await bench.start()

    async def _start_central(self) -> None:
        config = self.folder / "central.toml"
        self.central_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        port = self.central_url.rpartition(":")[2]
        # What a node signs covers the address that it asked, so central has to know each of them.
        origins = [self.central_url, f"http://localhost:{port}", *(line.url for line in self.lines.values())]
        table = {"data_folder": "central", "listen_port": int(port), "origins": origins}
        if self._database_url:
            table["database_url"] = self._database_url
        config.write_text(tomlkit.dumps(table), encoding="utf-8")
        command = _tapledger("central", "run", "--config", str(config), "--json")
        self.central = Child("central", command, self.folder / "log" / "central.log", {})
        self.central.on_restart = self._restarted
        await self.central.start()

    async def _seed(self, shops: list[str]) -> None:
        """Found the shops that are not there yet; one that was left half founded is founded again."""
        for shop in shops:
            self._say(f"Founding {SHOP_NAMES[shop]} …")
            folder = self.config(shop).parent
            shutil.rmtree(folder, ignore_errors=True)
            name, url = SHOP_NAMES[shop], self.lines[shop].url
            await seed.seed_shop(folder, name, self.ports[shop], self.central_folder, url, self._database_url)
            seed.add_offers(folder, self._offers)
            if shop == SHOPS[0]:
                self._say("Demo members join and buy …")
                await seed.seed_members(self.config(shop))
            seed.mark_complete(self.config(shop))
        if SHOPS[0] in shops:
            await seed.tell_rules(self.config(SHOPS[0]).parent, self.central_folder, self._database_url)

    async def _start_shop(self, shop: str) -> None:
        devices = [device.table() for device in self.benches[shop].devices.values()]
        config = self.config(shop)
        seed.set_devices(config, self.ports[shop], self.lines[shop].url, devices, self._kiosk)
        command = [sys.executable, "-m", "tapledger.lab.shop", "--config", str(config)]
        command += ["--bench", str(self.benches[shop].socket), "--central", str(self.central_folder)]
        station = self._stations.get(shop)
        environment = {} if station is None else {"PCSCLITE_CSOCK_NAME": str(station.socket_path)}
        child = Child(shop, command, self.folder / "log" / f"{shop}.log", environment)
        child.on_restart = self._restarted
        self.shops[shop] = child
        await child.start()

    def _restarted(self, name: str) -> None:
        self._say(f"{name} died and is started again; see {self.folder / 'log'}")


def _tapledger(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from tapledger.cli import main; main()", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
