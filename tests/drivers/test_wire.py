"""The seven things that go wrong with a cable, the same on every kind of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tapledger_drivers.emulators.faults import Fault, Verb
from tapledger_drivers.emulators.memory import MemoryIo, MemoryWire
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.wire import TcpWire, Wire
from tapledger_drivers.errors import DeviceAbsent, DeviceLost
from tapledger_drivers.io import Io, Stream
from tapledger_drivers.traffic import Traffic
from tapledger_drivers.transports.live import LiveIo

DEADLINE_S = 10.0


class Machine:
    def __init__(self) -> None:
        self.heard = bytearray()
        self.changed = asyncio.Event()

    def attached(self) -> None: ...

    def detached(self) -> None: ...

    def received(self, data: bytes) -> None:
        self.heard += data
        self.changed.set()

    async def has_heard(self, data: bytes) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while bytes(self.heard) != data:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture(name="machine")
def make_machine() -> Machine:
    return Machine()


@pytest.fixture(name="wire", params=["tcp", "pty", "memory"])
async def open_wire(request: pytest.FixtureRequest, machine: Machine) -> AsyncIterator[Wire]:
    make: dict[str, Callable[[Machine], Wire]] = {
        "tcp": TcpWire,
        "pty": PtyWire,
        "memory": lambda machine: MemoryWire(machine, "device"),
    }
    wire = make[request.param](machine)
    await wire.start()
    yield wire
    await wire.close()


@pytest.fixture(name="io")
async def open_io(wire: Wire) -> AsyncIterator[Io]:
    traffic = Traffic(time.monotonic)
    io: Io = (
        MemoryIo({wire.address: wire}, traffic) if isinstance(wire, MemoryWire) else LiveIo("device", traffic)
    )
    yield io
    await io.close()


@pytest.fixture(name="stream")
async def open_stream(io: Io, wire: Wire) -> Stream:
    stream = await io.stream(wire.address)
    await stream.write(b"!", DEADLINE_S)  # a TCP host counts once it was accepted
    return stream


def terminal(wire: PtyWire) -> str:
    return os.path.realpath(wire.path)


async def heard(stream: Stream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += await stream.read(DEADLINE_S)
    return data


async def test_noise_changes_some_bytes_and_loses_none(wire: Wire, stream: Stream, machine: Machine) -> None:
    await machine.has_heard(b"!")
    await wire.pull(Verb.NOISE, amount=500)
    assert wire.faults() == (Fault(Verb.NOISE, 500),)
    assert wire.send(b"A" * 1000)
    noisy = await heard(stream, 1000)
    assert len(noisy) == 1000 and 300 < sum(byte != ord("A") for byte in noisy) < 700
    await wire.pull(Verb.NOISE, on=False)
    assert wire.send(b"clean") and await heard(stream, 5) == b"clean"
    assert wire.faults() == ()


async def test_half_a_write_arrives(wire: Wire, stream: Stream, machine: Machine) -> None:
    await machine.has_heard(b"!")
    await wire.pull(Verb.HALF_WRITE)
    wire.send(b"abcdef")
    assert await heard(stream, 3) == b"abc"
    await wire.pull(Verb.HALF_WRITE, on=False)
    wire.send(b"whole")
    assert await heard(stream, 5) == b"whole"


async def test_a_slow_line_keeps_the_order(wire: Wire, stream: Stream, machine: Machine) -> None:
    await machine.has_heard(b"!")
    await wire.pull(Verb.SLOW, amount=20)
    began_s = time.monotonic()
    for piece in (b"a", b"b", b"c"):
        wire.send(piece)
    assert await heard(stream, 3) == b"abc"
    assert time.monotonic() - began_s >= 0.02
    await stream.write(b"to", DEADLINE_S)
    await machine.has_heard(b"!to")


async def test_a_line_that_is_slow_no_more_brings_at_once_what_it_kept(
    wire: Wire, stream: Stream, machine: Machine
) -> None:
    await machine.has_heard(b"!")
    await wire.pull(Verb.SLOW, amount=600_000)
    wire.send(b"late")
    writing = asyncio.create_task(stream.write(b"to", DEADLINE_S))
    await asyncio.sleep(0)
    await wire.pull(Verb.SLOW, on=False)
    assert await heard(stream, 4) == b"late"
    await writing
    await machine.has_heard(b"!to")


async def test_a_hung_device_says_and_hears_nothing(wire: Wire, io: Io, machine: Machine) -> None:
    stream = await io.stream(wire.address)
    await wire.pull(Verb.GO_AWOL)
    assert not wire.send(b"lost")
    with pytest.raises(TimeoutError):
        await stream.read(0.02)
    await wire.pull(Verb.GO_AWOL, on=False)
    await stream.write(b"hello", DEADLINE_S)
    await machine.has_heard(b"hello")


async def test_a_line_is_cut_after_so_many_bytes(wire: Wire, io: Io, machine: Machine) -> None:
    stream = await io.stream(wire.address)
    await wire.pull(Verb.DROP_AFTER, amount=4)
    with pytest.raises(DeviceLost):
        await stream.write(b"123456", DEADLINE_S)
        await stream.read(DEADLINE_S)
    await machine.has_heard(b"1234")
    await stream.close()
    await wire.pull(Verb.REPLUG)
    again = await io.stream(wire.address)
    await again.write(b"!", DEADLINE_S)
    await machine.has_heard(b"1234!")


async def test_unplugged_is_absent_until_it_is_plugged_in_again(wire: Wire, io: Io) -> None:
    await wire.pull(Verb.UNPLUG)
    assert wire.faults() == (Fault(Verb.UNPLUG),)
    assert not wire.send(b"x")
    with pytest.raises(DeviceAbsent):
        await io.stream(wire.address)
    await wire.pull(Verb.UNPLUG, on=False)
    assert wire.faults() == ()
    await io.stream(wire.address)


async def test_a_verb_that_no_wire_knows_is_refused(wire: Wire) -> None:
    with pytest.raises(ValueError, match="paper_out"):
        await wire.pull(Verb.PAPER_OUT)
    with pytest.raises(ValueError, match="negative"):
        await wire.pull(Verb.SLOW, amount=-1)
    assert wire.faults() == ()


async def test_a_terminal_comes_back_under_another_name_behind_the_same_link(machine: Machine) -> None:
    wire = PtyWire(machine, "scanner")
    await wire.start()
    first = terminal(wire)
    await wire.pull(Verb.UNPLUG)
    assert terminal(wire) == wire.path
    taken = os.openpty()  # takes the number that became free
    await wire.pull(Verb.REPLUG)
    assert terminal(wire) not in (first, wire.path)
    await wire.close()
    for fd in taken:
        os.close(fd)


async def test_a_serial_line_takes_its_time(machine: Machine) -> None:
    wire = PtyWire(machine, baud=38400)
    await wire.start()
    io = LiveIo("printer", Traffic(time.monotonic))
    stream = await io.stream(wire.address)
    data = bytes(1920)
    began_s = time.monotonic()
    await stream.write(data, DEADLINE_S)
    await machine.has_heard(data)
    # 1,920 bytes of 10 bits at 38,400 baud are half a second.
    assert time.monotonic() - began_s >= 0.5
    await io.close()
    await wire.close()


async def test_what_nobody_reads_waits_and_arrives_whole(machine: Machine) -> None:
    wire = PtyWire(machine)
    await wire.start()
    io = LiveIo("scanner", Traffic(time.monotonic))
    data = bytes(range(256)) * 400
    stream = await io.stream(wire.address)
    assert wire.send(data)
    assert await heard(stream, len(data)) == data
    await io.close()
    await wire.close()
