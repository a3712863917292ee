"""Lights: the one inside a reader, and a tower light on a pseudo-terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from tapledger_drivers.device import Capability, DeviceConfig, DeviceInfo, HealthLevel, HealthReport, Source
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.tower_light import TowerLightEmulator
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.indicators.reader_light import ReaderLight
from tapledger_drivers.indicators.serial_light import SerialLight
from tapledger_drivers.ports import CardEvent, Feedback
from tapledger_drivers.registry import Sibling, create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST

ROLE = "kiosk-reader"
DEADLINE_S = 10.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the emulator tells nobody when it hears something
            await asyncio.sleep(0.005)


async def lost_by(action: Callable[[], Awaitable[object]]) -> DeviceLost:
    """Repeat ``action`` until the device is lost: a cable that was cut is told by the write after it."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await action()
            except DeviceLost as error:
                return error
            await asyncio.sleep(0.005)


# ---- inside a reader -----------------------------------------------------------------------------------
class ReaderWithLight:
    """A reader that shows what it is told and reads no cards."""

    def __init__(self) -> None:
        self.shown: list[Feedback] = []

    async def open(self) -> DeviceInfo:
        led = Capability(True, Source.QUIRK)
        return DeviceInfo("ACR122U", "pcsc:x", virtual=True, capabilities={"led": led, "buzzer": led})

    async def close(self) -> None: ...

    async def health(self, level: HealthLevel) -> HealthReport:
        return HealthReport(level, ())

    async def taps(self) -> AsyncIterator[CardEvent]:
        return
        yield

    async def feedback(self, pattern: Feedback) -> bool:
        self.shown.append(pattern)
        return True

    async def transceive(self, apdus: Sequence[bytes]) -> list[bytes]:
        return []


@pytest.fixture
def reader() -> ReaderWithLight:
    return ReaderWithLight()


@pytest.fixture
async def siblings(reader: ReaderWithLight) -> dict[str, Sibling]:
    return {ROLE: Sibling(reader, await reader.open())}


class TestReaderLightContract(DriverContract):
    @pytest.fixture
    async def lab(self, siblings: dict[str, Sibling]) -> DriverLab:
        config = DeviceConfig("kiosk-light", "reader_light", {"reader": ROLE})
        io = LiveIo("kiosk-light", Traffic(time.monotonic))
        driver = create_driver(config, TRUST, io, siblings.get)
        return DriverLab(driver, ReaderLight("no-such-reader", siblings.get))


async def test_the_readers_light_shows_the_pattern(
    reader: ReaderWithLight, siblings: dict[str, Sibling]
) -> None:
    light = ReaderLight(ROLE, siblings.get)
    info = await light.open()
    assert set(info.capabilities) == {"led", "buzzer"}
    await light.show(Feedback.REFUSED)
    assert reader.shown == [Feedback.REFUSED]
    del siblings[ROLE]
    await light.show(Feedback.READY)
    assert reader.shown == [Feedback.REFUSED]
    with pytest.raises(DeviceLost):
        await light.health(HealthLevel.INTERNAL)


async def test_a_reader_without_a_light_blocks_it(
    reader: ReaderWithLight, siblings: dict[str, Sibling]
) -> None:
    nothing = Capability(False, Source.DEFAULT)
    info = DeviceInfo("PN532", "tty:x", capabilities={"led": nothing, "buzzer": nothing})
    siblings[ROLE] = Sibling(reader, info)
    with pytest.raises(DeviceBlocked) as blocked:
        await ReaderLight(ROLE, siblings.get).open()
    assert blocked.value.reason == "wrong_device"


# ---- a tower light -------------------------------------------------------------------------------------
@pytest.fixture
async def tower() -> AsyncIterator[TowerLightEmulator]:
    emulator = TowerLightEmulator()
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def io() -> AsyncIterator[LiveIo]:
    live = LiveIo("light", Traffic(time.monotonic))
    yield live
    await live.close()


@pytest.fixture
async def light(tower: TowerLightEmulator, io: LiveIo) -> AsyncIterator[SerialLight]:
    driver = SerialLight(tower.address, io)
    await driver.open()
    yield driver
    await driver.close()


class TestSerialLightContract(DriverContract):
    @pytest.fixture
    async def lab(self, tower: TowerLightEmulator, io: LiveIo) -> AsyncIterator[DriverLab]:
        # No ``hang``: the light never says anything, so a hung one looks like any other.
        driver = create_driver(DeviceConfig("light", "serial_light", {"port": tower.address}), TRUST, io)
        yield DriverLab(
            driver,
            SerialLight("tty:/dev/no-such-port", io),
            unplug=lambda: tower.pull(Verb.UNPLUG),
            replug=lambda: tower.pull(Verb.REPLUG),
            traffic=io.traffic,
        )
        await driver.close()


@pytest.mark.parametrize(
    ("pattern", "red", "yellow", "green"),
    [
        (Feedback.READY, "off", "off", "on"),
        (Feedback.READING, "off", "on", "off"),
        (Feedback.ACCEPTED, "off", "off", "blink"),
        (Feedback.REFUSED, "on", "off", "off"),
        (Feedback.OFF, "off", "off", "off"),
    ],
)
async def test_each_pattern_and_nothing_of_the_one_before(
    tower: TowerLightEmulator, light: SerialLight, pattern: Feedback, red: str, yellow: str, green: str
) -> None:
    tower.state = dict.fromkeys(tower.state, "blink")
    await light.show(pattern)
    expected = {"red": red, "yellow": yellow, "green": green, "buzzer": "off"}
    await until(lambda: tower.state == expected)
    sounded = ("buzzer", "on") in tower.history
    assert sounded is (pattern in (Feedback.ACCEPTED, Feedback.REFUSED))


async def test_a_light_without_its_buzzer(tower: TowerLightEmulator, io: LiveIo) -> None:
    options: dict[str, object] = {"port": tower.address, "buzzer": False}
    driver = create_driver(DeviceConfig("light", "serial_light", options), TRUST, io)
    assert isinstance(driver, SerialLight)
    info = await driver.open()
    assert info.capabilities["buzzer"] == Capability(False, Source.OPERATOR)
    await driver.show(Feedback.REFUSED)
    await until(lambda: tower.state["red"] == "on")
    assert ("buzzer", "on") not in tower.history
    await driver.close()


@pytest.mark.parametrize("verb", [Verb.UNPLUG, Verb.DROP_AFTER])
async def test_a_light_that_went_is_lost_and_comes_back(
    tower: TowerLightEmulator, light: SerialLight, verb: Verb
) -> None:
    await tower.pull(verb, amount=2)
    error = await lost_by(lambda: light.show(Feedback.READY))
    assert error.reason == "unplugged"
    with pytest.raises(DeviceAbsent):
        await light.open()
    await tower.pull(Verb.REPLUG)
    await light.open()
    await light.show(Feedback.READY)
    await until(lambda: tower.state["green"] == "on")


async def test_a_light_that_went_is_told_by_its_health(tower: TowerLightEmulator, light: SerialLight) -> None:
    await tower.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost):
        await light.health(HealthLevel.INTERNAL)


@pytest.mark.parametrize("went", [False, True])
async def test_a_beep_that_is_cancelled_ends_as_cancelled_and_in_silence(
    tower: TowerLightEmulator, light: SerialLight, went: bool
) -> None:
    beeping = asyncio.create_task(light.show(Feedback.REFUSED))
    await until(lambda: tower.state["buzzer"] == "on")
    if went:
        await light.close()
    beeping.cancel()
    await asyncio.wait({beeping}, timeout=DEADLINE_S)
    assert beeping.cancelled()
    if not went:
        await until(lambda: tower.state["buzzer"] == "off")


async def test_a_light_that_takes_nothing_holds_nobody(
    tower: TowerLightEmulator, io: LiveIo, light: SerialLight
) -> None:
    await tower.pull(Verb.GO_AWOL)

    async def flood() -> None:
        for _ in range(1000):
            await light.show(Feedback.READY)

    error = await lost_by(flood)
    assert error.reason == "stalled"
    async with asyncio.timeout(1):
        await light.close()


@pytest.mark.parametrize("verb", [Verb.SLOW, Verb.NOISE, Verb.HALF_WRITE])
async def test_faults_of_a_line_that_carries_nothing_back(
    tower: TowerLightEmulator, light: SerialLight, verb: Verb
) -> None:
    await tower.pull(verb)
    await light.show(Feedback.READY)
    await until(lambda: tower.state["green"] == "on")
