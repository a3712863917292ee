"""Keeps everything that passes between one device and its driver, until told to stop."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tapledger_drivers.cassettes.mending import MENDERS
from tapledger_drivers.cassettes.pseudonyms import Pseudonyms
from tapledger_drivers.cassettes.spanning import redacted
from tapledger_drivers.cassettes.tape import Cassette, Head
from tapledger_drivers.cassettes.values import encode
from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.traffic import Frame, Traffic

RECORDED_BYTES_MAX = 8 * 1024 * 1024
FRAME_OVERHEAD_BYTES = 100


class Recorder:
    """Records from its making on; begin before ``open``, so that the recording can be replayed."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._frames: list[Frame] = []
        self._bytes = 0
        self.full = False
        """Whether it has ended by itself at ``RECORDED_BYTES_MAX``."""
        traffic.listeners.append(self._take)

    def stop(self) -> None:
        """End; twice is once."""
        if self._take in self._traffic.listeners:
            self._traffic.listeners.remove(self._take)

    def cassette(
        self, config: DeviceConfig, info: DeviceInfo | None, recorded_at: str, salt: bytes
    ) -> Cassette:
        """Return what was recorded, without anybody's card number or code in it."""
        return export(self._frames, self._traffic, config, info, recorded_at, salt)

    def _take(self, frame: Frame) -> None:
        self._bytes += len(frame.data) + len(frame.note) + FRAME_OVERHEAD_BYTES
        if self._bytes > RECORDED_BYTES_MAX:
            self.full = True
            return
        self._frames.append(frame)


def export(
    frames: list[Frame],
    traffic: Traffic,
    config: DeviceConfig,
    info: DeviceInfo | None,
    recorded_at: str,
    salt: bytes,
) -> Cassette:
    """Return frames as a recording in which every secret of the traffic has a pseudonym."""
    names = Pseudonyms(salt, traffic.secrets())
    mend = MENDERS.get(config.driver, _as_it_is)
    clean = [
        replace(one, data=mend(one.data, data), note=names.in_text(one.note))
        for one, data in zip(frames, redacted(frames, names), strict=True)
    ]
    options = msgspec.json.decode(names.in_text(msgspec.json.encode(encode(config.options)).decode()))
    head = Head(
        driver=config.driver,
        role=config.role,
        options=options,
        model="" if info is None else info.model,
        firmware="" if info is None else info.firmware,
        recorded_at=recorded_at,
        virtual=info is not None and info.virtual,
        pseudonyms=len(names),
    )
    return Cassette(head, clean)


def _as_it_is(was: bytes, now: bytes) -> bytes:
    del was
    return now
