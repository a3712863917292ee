"""The transports: every way a line ends has its name, nothing waits too long, everything is counted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tapledger_drivers.cassettes import tape
from tapledger_drivers.cassettes.recorder import Recorder
from tapledger_drivers.device import DeviceConfig
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.emulators.pty_wire import PtyWire
from tapledger_drivers.emulators.wire import TcpWire, Wire
from tapledger_drivers.errors import DeviceAbsent, DeviceBlocked, DeviceLost
from tapledger_drivers.io import WriteStalled
from tapledger_drivers.traffic import KEPT_BYTES, SECRETS_MAX, Direction, Traffic
from tapledger_drivers.transports.addresses import FileAddress, TcpAddress, TtyAddress, parse_address
from tapledger_drivers.transports.device_thread import HUNG_MAX, DeviceThread
from tapledger_drivers.transports.live import LiveIo

DEADLINE_S = 10.0
HOLD_PORT = (
    "import sys, serial; p = serial.Serial(sys.argv[1], exclusive=True); print(1, flush=True); input()"
)


class Echo:
    """Answers in capitals."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self.heard = b""
        self.hosts = 0

    def attached(self) -> None:
        self.hosts += 1

    def received(self, data: bytes) -> None:
        assert self.wire is not None
        self.heard += data
        self.wire.send(data.upper())

    def detached(self) -> None:
        self.hosts -= 1


@pytest.fixture(name="io")
async def open_io() -> AsyncIterator[LiveIo]:
    io = LiveIo("device", Traffic(time.monotonic))
    yield io
    await io.close()


@pytest.fixture(name="wire", params=[TcpWire, PtyWire])
async def open_wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    echo = Echo()
    echo.wire = wire = request.param(echo)
    await wire.start()
    yield wire
    await wire.close()


# ---- streams ---------------------------------------------------------------------------------------------
async def test_bytes_go_both_ways_and_are_counted(io: LiveIo, wire: Wire) -> None:
    stream = await io.stream(wire.address)
    await stream.write(b"hello", 1)
    assert await _read(stream.read, 5) == b"HELLO"
    assert io.traffic.counters["BytesSent"] == io.traffic.counters["BytesReceived"] == 5
    passed = [(one.direction, one.data) for one in io.traffic.frames() if one.data]
    assert passed[0] == (Direction.TO_DEVICE, b"hello")


async def test_a_read_ends_in_time(io: LiveIo, wire: Wire) -> None:
    stream = await io.stream(wire.address)
    with pytest.raises(TimeoutError):
        await stream.read(0.01)
    await stream.write(b"x", 1)
    assert await stream.read(1) == b"X"


async def test_a_line_that_goes_ends_the_read_and_names_its_cause(io: LiveIo, wire: Wire) -> None:
    stream = await io.stream(wire.address)
    reading = asyncio.create_task(stream.read(None))
    await asyncio.sleep(0)
    await wire.pull(Verb.UNPLUG)
    with pytest.raises(DeviceLost) as lost:
        await asyncio.wait_for(reading, DEADLINE_S)
    assert lost.value.reason == "unplugged"
    assert lost.value.__cause__ is not None
    with pytest.raises(DeviceAbsent):
        await io.stream(wire.address)


async def test_close_ends_the_read(io: LiveIo, wire: Wire) -> None:
    stream = await io.stream(wire.address)
    reading = asyncio.create_task(stream.read(None))
    await asyncio.sleep(0)
    await stream.close()
    await stream.close()
    with pytest.raises(DeviceLost, match="closed"):
        await asyncio.wait_for(reading, DEADLINE_S)
    with pytest.raises(DeviceLost, match="closed"):
        await stream.write(b"x", 1)


async def test_a_device_that_takes_nothing_stalls_the_write(io: LiveIo, wire: Wire) -> None:
    stream = await io.stream(wire.address)
    await wire.pull(Verb.GO_AWOL)
    with pytest.raises(WriteStalled) as stalled:
        await stream.write(bytes(32 * 1024 * 1024), 0.2)
    assert 0 < stalled.value.taken < stalled.value.of
    assert any(one.note.startswith("stalled") for one in io.traffic.frames())


async def test_what_was_written_at_once_can_be_read_in_a_recording(io: LiveIo, wire: Wire) -> None:
    recorder = Recorder(io.traffic)
    stream = await io.stream(wire.address)
    await wire.pull(Verb.GO_AWOL)
    with contextlib.suppress(WriteStalled):  # a socket takes it all, a terminal does not
        await stream.write(bytes(1024 * 1024), 0.2)
    config = DeviceConfig("device", "escpos", {"port": wire.address})
    recorded = tape.read(recorder.cassette(config, None, "", b"salt").to_bytes())
    sent = sum(len(frame.data) for frame in recorded.frames)
    assert sent == io.traffic.counters["BytesSent"] > 0


async def test_the_line_comes_back(io: LiveIo, wire: Wire) -> None:
    await io.stream(wire.address)
    await wire.pull(Verb.UNPLUG)
    await wire.pull(Verb.REPLUG)
    stream = await io.stream(wire.address)
    await stream.write(b"again", 1)
    assert await _read(stream.read, 5) == b"AGAIN"


async def test_a_line_that_never_rests_leaves_everybody_else_a_turn(io: LiveIo) -> None:
    master, slave = os.openpty()
    try:
        stream = await io.stream(f"usblp:{os.ttyname(slave)}")
        os.write(master, b"1\n" * 64)
        for _ in range(64):
            had_a_turn = asyncio.Event()
            asyncio.get_running_loop().call_soon(had_a_turn.set)
            assert await stream.read(0.0, limit=2) == b"1\n"
            assert had_a_turn.is_set()
    finally:
        os.close(master)
        os.close(slave)


# ---- opening ---------------------------------------------------------------------------------------------
async def test_a_port_that_is_held_names_its_holder(io: LiveIo) -> None:
    wire = PtyWire(Echo())
    await wire.start()
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD_PORT, wire.path, stdin=PIPE, stdout=PIPE
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"1\n"
        with pytest.raises(DeviceBlocked) as blocked:
            await io.stream(wire.address)
        assert blocked.value.reason == "in_use"
        assert f"PID {holder.pid}" in blocked.value.detail
    finally:
        await holder.communicate(b"\n")
        await wire.close()


async def test_a_port_that_is_no_terminal_is_named(io: LiveIo, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with pytest.raises(DeviceBlocked, match="not_a_serial_port"):
        await io.stream(f"tty:{tmp_path / 'plain'}")


async def test_a_device_file_is_opened_both_ways(io: LiveIo) -> None:
    master, slave = os.openpty()
    try:
        stream = await io.stream(f"usblp:{os.ttyname(slave)}")
        await stream.write(b"to the printer", 1)
        assert os.read(master, 100) == b"to the printer"
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("kind", ["tty", "usblp"])
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # which is what happens to it
async def test_what_was_opened_when_nobody_waited_any_more_is_given_back(io: LiveIo, kind: str) -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.close(slave)

    def held() -> bool:
        return path in {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}

    try:
        opening = asyncio.create_task(io.stream(f"{kind}:{path}"))
        await asyncio.sleep(0)
        deadline_s = time.monotonic() + DEADLINE_S
        while not held() and time.monotonic() < deadline_s:
            time.sleep(0.001)  # noqa: ASYNC251 - the loop shall not hear that it is open
        assert held()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        del opening
        await _until(lambda: not held())
    finally:
        os.close(master)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp:192.0.2.1:9100", TcpAddress("192.0.2.1", 9100)),
        ("tcp:[2001:db8::1]:9100", TcpAddress("2001:db8::1", 9100)),
        ("tty:/dev/ttyUSB0", TtyAddress("/dev/ttyUSB0")),
        (
            "tty:/dev/x?baud=115200&parity=E&bits=7&stop=2&flow=rtscts",
            TtyAddress("/dev/x", 115200, "E", 7, 2, "rtscts"),
        ),
        ("usblp:/dev/usb/lp0", FileAddress("usblp", "/dev/usb/lp0")),
        ("hidraw:/dev/hidraw3", FileAddress("hidraw", "/dev/hidraw3")),
    ],
)
def test_addresses_are_read(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/dev/ttyUSB0",
        "tcp:host",
        "tcp:host:0",
        "tcp::9100",
        "tcp:host:99999",
        "tcp:192.0..2.1:9100",
        "tty:COM1",
        "tty:/dev/x?baud=fast",
        "tty:/dev/x?baud=1",
        "tty:/dev/x?speed=9600",
        "tty:/dev/x?parity=X",
        "tty:/dev/x?flow=maybe",
        "tty:/dev/x?baud",
        "usblp:lp0",
        "bluetooth:aa",
    ],
)
def test_what_is_no_address_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(DeviceBlocked) as blocked:
        parse_address(text)
    assert blocked.value.reason == "bad_address"
    assert blocked.value.detail


# ---- the device's thread -----------------------------------------------------------------------------------
async def test_a_call_that_hangs_is_given_up_and_the_next_one_works() -> None:
    thread, never = DeviceThread("device"), threading.Event()
    with pytest.raises(DeviceLost, match="hung"):
        await thread.run(0.02, never.wait)
    assert await thread.run(1, lambda: 7) == 7
    never.set()
    thread.close()


async def test_a_result_that_came_in_time_is_not_lost_to_a_loop_that_was_late() -> None:
    thread, loop_is_held = DeviceThread("device"), threading.Event()

    def hold() -> None:
        loop_is_held.set()
        free_at_s = time.monotonic() + 0.1  # answer and deadline then wait for the loop together
        while time.monotonic() < free_at_s:
            time.sleep(0.001)

    asyncio.get_running_loop().call_later(0.01, hold)
    assert await thread.run(0.05, loop_is_held.wait) is True
    thread.close()


async def test_hung_calls_have_a_limit() -> None:
    thread, never = DeviceThread("device"), threading.Event()
    for _ in range(HUNG_MAX):
        with pytest.raises(DeviceLost):
            await thread.run(0.001, never.wait)
    with pytest.raises(DeviceBlocked, match="hung"):
        await thread.run(1, lambda: 7)
    never.set()
    await _until(lambda: sum(one.name == "device" for one in threading.enumerate()) == 0)
    assert await thread.run(1, lambda: 7) == 7
    thread.close()


async def test_an_error_of_the_call_is_the_callers() -> None:
    thread = DeviceThread("device")
    for error in (ValueError("x"), TimeoutError("its own"), OSError(5, "io")):

        def fail(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)) as raised:
            await thread.run(1, fail)
        assert raised.value is error
    thread.close()


# ---- traffic -----------------------------------------------------------------------------------------------
def test_only_the_newest_frames_are_kept() -> None:
    traffic = Traffic(lambda: 0.0, kept_bytes=1000)
    for number in range(100):
        traffic.sent("stream", bytes([number]) * 36)
    kept = traffic.frames()
    assert len(kept) == 10 and kept[-1].data[0] == 99
    assert traffic.counters["BytesSent"] == 3600


def test_a_frame_larger_than_all_that_is_kept_leaves_nothing_behind() -> None:
    traffic = Traffic(lambda: 0.0)
    traffic.sent("stream", bytes(KEPT_BYTES + 1))
    assert traffic.frames() == []
    traffic.sent("stream", b"x")
    assert len(traffic.frames()) == 1


def test_secrets_have_a_limit_and_the_newest_stay() -> None:
    traffic = Traffic(lambda: 0.0)
    for number in range(SECRETS_MAX + 5):
        traffic.hide(number.to_bytes(4, "big"))
    assert len(traffic.secrets()) == SECRETS_MAX
    assert (4).to_bytes(4, "big") not in traffic.secrets()
    traffic.hide(b"")
    assert len(traffic.secrets()) == SECRETS_MAX


async def _read(read: Callable[..., object], count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += await read(DEADLINE_S)  # type: ignore[misc]
    return data


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if done():
                return
            await asyncio.sleep(0.005)
