"""Keeps everything that passes between one device and its driver, until told to stop."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tapledger_drivers.cassettes.mending import MENDERS
from tapledger_drivers.cassettes.pseudonyms import Pseudonyms
from tapledger_drivers.cassettes.spanning import redacted
from tapledger_drivers.cassettes.tape import JSON_CHANNELS, Cassette, Head
from tapledger_drivers.cassettes.values import encode, redact
from tapledger_drivers.device import DeviceConfig, DeviceInfo
from tapledger_drivers.traffic import Frame, Traffic

RECORDED_BYTES_MAX = 8 * 1024 * 1024
OVERHEAD_BYTES = 100


class Recorder:
    """Records from its making on; begin before ``open``, so that the recording can be replayed."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._frames: list[Frame] = []
        self._secrets: dict[bytes, None] = {}
        self._bytes = 0
        self.full = False
        """Whether it has ended by itself at ``RECORDED_BYTES_MAX``."""
        traffic.listeners.append(self._take)
        traffic.secret_listeners.append(self._hide)

    def stop(self) -> None:
        """End; twice is once."""
        if self._take in self._traffic.listeners:
            self._traffic.listeners.remove(self._take)
            self._traffic.secret_listeners.remove(self._hide)

    def cassette(
        self, config: DeviceConfig, info: DeviceInfo | None, recorded_at: str, salt: bytes
    ) -> Cassette:
        """Return what was recorded, without anybody's card number or code in it."""
        names = Pseudonyms(salt, self._secrets)
        mend = MENDERS.get(config.driver, _as_it_is)
        clean = [
            replace(one, data=mend(one.data, data), note=_told(one, names))
            for one, data in zip(self._frames, redacted(self._frames, names), strict=True)
        ]
        head = Head(
            driver=config.driver,
            role=config.role,
            options={name: redact(encode(one), names) for name, one in config.options.items()},
            model="" if info is None else info.model,
            firmware="" if info is None else info.firmware,
            recorded_at=recorded_at,
            virtual=info is not None and info.virtual,
            pseudonyms=len(names),
        )
        return Cassette(head, clean)

    def _take(self, frame: Frame) -> None:
        size = len(frame.data) + len(frame.note) + OVERHEAD_BYTES
        self.full = self.full or self._bytes + size > RECORDED_BYTES_MAX
        if not self.full:
            self._bytes += size
            self._frames.append(frame)

    def _hide(self, secret: bytes) -> None:
        """Keep a secret also once it is full: the frames that it was in came before."""
        if secret not in self._secrets and self._bytes <= 2 * RECORDED_BYTES_MAX:
            self._bytes += len(secret) + OVERHEAD_BYTES
            self._secrets[secret] = None


def _told(frame: Frame, names: Pseudonyms) -> str:
    if frame.channel not in JSON_CHANNELS:
        return names.in_text(frame.note)
    return msgspec.json.encode(redact(msgspec.json.decode(frame.note), names)).decode()


def _as_it_is(was: bytes, now: bytes) -> bytes:
    del was
    return now
