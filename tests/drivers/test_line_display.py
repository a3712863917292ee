"""The customer display on a pseudo-terminal: what is told to it is read from its glass."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.device import DeviceConfig, HealthLevel
from tapledger_drivers.displays.serial_line_display import COLUMNS, SerialLineDisplay
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.line_display import LineDisplayEmulator
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.registry import create_driver
from tapledger_drivers.testing import DriverContract, DriverLab
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo
from tests.drivers.cards import TRUST

DEADLINE_S = 10.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the emulator tells nobody when it hears something
            await asyncio.sleep(0.005)


@pytest.fixture
async def glass() -> AsyncIterator[LineDisplayEmulator]:
    emulator = LineDisplayEmulator()
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def io() -> AsyncIterator[LiveIo]:
    live = LiveIo("display", Traffic(time.monotonic))
    yield live
    await live.close()


@pytest.fixture
async def display(glass: LineDisplayEmulator, io: LiveIo) -> AsyncIterator[SerialLineDisplay]:
    driver = SerialLineDisplay(glass.address, io, "gb18030")
    await driver.open()
    yield driver
    await driver.close()


class TestContract(DriverContract):
    @pytest.fixture
    async def lab(self, glass: LineDisplayEmulator, io: LiveIo) -> AsyncIterator[DriverLab]:
        # No ``hang``: the display never says anything, so a hung one looks like any other.
        config = DeviceConfig("display", "serial_line_display", {"port": glass.address})
        driver = create_driver(config, TRUST, io)
        yield DriverLab(
            driver,
            SerialLineDisplay("tty:/dev/no-such-port", io),
            unplug=lambda: glass.pull(Verb.UNPLUG),
            replug=lambda: glass.pull(Verb.REPLUG),
            traffic=io.traffic,
        )
        await driver.close()


@pytest.mark.parametrize(
    ("upper", "lower", "shown"),
    [
        ("Total", "12.50", ("Total", "12.50")),
        ("", "", ("", "")),
        ("合计 ￥12.50", "积分 1280", ("合计 ￥12.50", "积分 1280")),
        ("¥12.50", "a\tb\x1b@\nc", ("￥12.50", "a?b?@?c")),
        ("x" * 30, "测" * 11, ("x" * 20, "测" * 10)),
        ("1" + "测" * 11, "😀𠮷한", ("1" + "测" * 9, "???")),
    ],
)
async def test_what_a_customer_reads(
    glass: LineDisplayEmulator, display: SerialLineDisplay, upper: str, lower: str, shown: tuple[str, str]
) -> None:
    await display.show_lines("#" * COLUMNS, "#" * COLUMNS)
    await display.show_lines(upper, lower)
    await until(lambda: glass.lines == shown)
    assert glass.unknown == 0


async def test_a_display_without_chinese_shows_question_marks(glass: LineDisplayEmulator, io: LiveIo) -> None:
    driver = SerialLineDisplay(glass.address, io)
    await driver.open()
    await driver.show_lines("合计 12.50", "¥ é")
    await until(lambda: glass.lines == ("?? 12.50", "? ?"))
    await driver.close()


async def test_clear(glass: LineDisplayEmulator, display: SerialLineDisplay) -> None:
    await display.show_lines("Total", "12.50")
    await until(lambda: glass.lines == ("Total", "12.50"))
    await display.clear()
    await until(lambda: glass.lines == ("", ""))


async def test_what_stood_there_is_gone_after_open(glass: LineDisplayEmulator, io: LiveIo) -> None:
    glass.received(b"left over\x1f")
    driver = SerialLineDisplay(glass.address, io)
    await driver.open()
    await until(lambda: glass.lines == ("", ""))
    await driver.close()


async def test_health_shows_a_text_to_a_person(
    glass: LineDisplayEmulator, display: SerialLineDisplay
) -> None:
    assert (await display.health(HealthLevel.INTERACTIVE)).level is HealthLevel.EXTERNAL
    await until(lambda: glass.lines == ("12345678901234567890", "TEST 测试"))


async def test_an_encoding_that_nobody_knows(io: LiveIo) -> None:
    options: dict[str, object] = {"port": "tty:/dev/x", "encoding": "big5"}
    with pytest.raises(DeviceBlocked):
        create_driver(DeviceConfig("display", "serial_line_display", options), TRUST, io)


@pytest.mark.parametrize("verb", [Verb.UNPLUG, Verb.DROP_AFTER])
async def test_a_display_that_went_is_lost_and_comes_back(
    glass: LineDisplayEmulator, display: SerialLineDisplay, verb: Verb
) -> None:
    await glass.pull(verb)
    with pytest.raises(DeviceLost) as lost:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                await display.show_lines("Total", "12.50")
                await asyncio.sleep(0)
    assert lost.value.reason == "unplugged"
    with pytest.raises(DeviceAbsent):
        await display.open()
    await glass.pull(Verb.REPLUG)
    await display.open()
    await display.show_lines("Total", "12.50")
    await until(lambda: glass.lines == ("Total", "12.50"))


async def test_a_display_that_takes_nothing_holds_nobody(
    glass: LineDisplayEmulator, display: SerialLineDisplay
) -> None:
    await glass.pull(Verb.GO_AWOL)
    with pytest.raises(DeviceLost) as lost:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                await display.show_lines("Total", "12.50")
    assert lost.value.reason == "stalled"
    async with asyncio.timeout(1):
        await display.close()


@pytest.mark.parametrize("verb", [Verb.SLOW, Verb.NOISE, Verb.HALF_WRITE])
async def test_faults_of_a_line_that_carries_nothing_back(
    glass: LineDisplayEmulator, display: SerialLineDisplay, verb: Verb
) -> None:
    await glass.pull(verb)
    await display.show_lines("Total", "12.50")
    await until(lambda: glass.lines == ("Total", "12.50"))


@given(st.text(), st.text(), st.sampled_from(["ascii", "gb18030"]))
async def test_any_text_stays_within_its_line(upper: str, lower: str, encoding: str) -> None:
    machine = LineDisplayEmulator()
    wire = MemoryWire(machine, "display")
    await wire.start()
    driver = SerialLineDisplay("sim:display", MemoryIo({"sim:display": wire}, Traffic(lambda: 0.0)), encoding)
    await driver.open()
    await driver.show_lines(upper, lower)
    assert machine.unknown == 0
    assert len(machine.lines[0].encode("gb18030")) <= COLUMNS
    assert "�" not in "".join(machine.lines)
    await driver.clear()
    assert machine.lines == ("", "")
    await driver.close()
    await wire.close()
    await machine.close()


async def test_the_emulator_takes_any_bytes(glass: LineDisplayEmulator) -> None:
    rng = random.Random(5)
    for _ in range(10_000):
        glass.received(rng.randbytes(rng.randrange(12)))
    assert len(glass.lines[0]) <= COLUMNS
