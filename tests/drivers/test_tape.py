"""The format of recordings: what was written is read, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.cassettes.tape import Cassette, CassetteUnreadable, Head, read
from tapledger_drivers.cassettes.values import decode, encode
from tapledger_drivers.device import Capability, DeviceInfo, Finding, HealthLevel, HealthReport, Source
from tapledger_drivers.ports import (
    Align,
    CardPresented,
    CardTrust,
    Feedback,
    PrintJob,
    PrintOutcome,
    PrintVerdict,
    QrCode,
    Row,
    Rule,
    Scan,
    Text,
    TrustLevel,
    UidKind,
)
from tapledger_drivers.traffic import Direction, Frame

HEAD = Head(driver="serial_line", role="till-scanner", options={"path": "/dev/x", "baud": 9600})
FRAMES = st.builds(
    Frame,
    at_s=st.just(0.0),
    direction=st.sampled_from(Direction),
    channel=st.text(max_size=10),
    data=st.binary(max_size=60),
    note=st.text(max_size=30),
)
CROSSING = [
    DeviceInfo("x", "tty:/dev/x", virtual=True, capabilities={"qr": Capability("native", Source.QUIRK)}),
    Scan(b"\x1d1", "\x1d1", 0.0, "]C1", "gs1-128", (("01", "04012345678901"),), "ascii"),
    CardPresented(
        b"\x04\x01", UidKind.FIXED, "type2", b"\x3b", None, CardTrust(TrustLevel.L1, "token", "c"), 0.0, 0.0
    ),
    PrintJob("j", (Text("中文", align=Align.CENTER), Row("a", "b", bold=True), Rule(), QrCode("x"))),
    PrintOutcome(PrintVerdict.UNKNOWN, "mute", "no answer"),
    HealthReport(HealthLevel.EXTERNAL, (Finding("ok", True),)),
    (Feedback.ACCEPTED,),
    [b"\x90\x00", b""],
    None,
    True,
]


@given(st.lists(FRAMES, max_size=20))
def test_what_was_written_is_read(frames: list[Frame]) -> None:
    cassette = read(Cassette(HEAD, frames).to_bytes())
    assert cassette == Cassette(HEAD, frames)


@pytest.mark.parametrize("value", CROSSING, ids=lambda value: type(value).__name__)
def test_every_value_of_a_port_comes_back(value: object) -> None:
    again = decode(encode(value))
    assert encode(again) == encode(value)
    if not isinstance(value, list | tuple | PrintOutcome):
        assert type(again) is type(value)


def test_a_job_comes_back_as_it_was() -> None:
    job = next(value for value in CROSSING if isinstance(value, PrintJob))
    again = decode(encode(job))
    assert again == job
    assert isinstance(again.items[0].align, Align)


def test_what_no_port_carries_is_refused() -> None:
    with pytest.raises(TypeError, match="does not cross a port"):
        encode(object())
    with pytest.raises(ValueError, match="unknown value"):
        decode({"is": "Popen"})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "1 to"),
        (b"nonsense", "line 1"),
        (b'{"cassette":99,"driver":"x","role":"y","options":{}}', "version 99"),
        (b'{"cassette":1,"driver":"x","role":"y","options":{}}\n{"t":0,"dir":"up","chan":"x"}', "line 2"),
        (
            b'{"cassette":1,"driver":"x","role":"y","options":{}}\n{"t":0,"dir":"to","chan":"x","hex":"0"}',
            "line 2",
        ),
        (b'{"cassette":1,"driver":"x","role":"y","options":{}}\n' + b"x" * 600_000, "longer"),
        *(
            (Cassette(HEAD, [Frame(0.0, Direction.NOTE, channel, b"", note)]).to_bytes(), "line 2")
            for channel, note in [
                ("event", "nonsense"),
                ("event", "{}"),
                ("answer", "[]"),
                ("call", '{"call":"open"}'),
                ("judged", ""),
            ]
        ),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(data: bytes, why: str) -> None:
    with pytest.raises(CassetteUnreadable, match=why):
        read(data)
