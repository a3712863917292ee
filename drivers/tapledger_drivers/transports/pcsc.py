"""PC/SC through ``smartcard.scard`` alone: pyscard's own monitors die silently with pcscd (devices.md M1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from smartcard import scard

from tapledger_drivers.errors import DeviceBlocked
from tapledger_drivers.io import PcscFailed, ReaderState
from tapledger_drivers.traffic import Traffic

_PNP = "\\\\?PnP?\\Notification"
_PROTOCOLS = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
_FLAGS = 0xFFFF
_NO_CONTEXT = 0


def code_of(constant: int) -> int:
    return constant & 0xFFFFFFFF


_NOT_NOW = frozenset({code_of(scard.SCARD_E_TIMEOUT), code_of(scard.SCARD_E_CANCELLED)})


class PcscContext:
    """One context: dead for good once its pcscd is, though SCardIsValidContext still calls it valid.

    A second call into a context that is in use waits for it inside libpcsclite, and holds a lock there that
    every other call of the process needs. So calls wait for their turn here, and ``release`` never does.
    """

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._context = _establish()
        self._turn = threading.Lock()
        self._released = False
        self._pnp_count = 0
        """What pcscd counted last: readers, in newer versions their comings and goings."""
        self._cancelling: threading.Thread | None = None

    @contextmanager
    def turn(self) -> Iterator[int]:
        """Enter libpcsclite with this context and no other call beside; the last one out gives it back.

        Raises ``PcscFailed`` when it has been given back.
        """
        try:
            with self._turn:
                if self._context == _NO_CONTEXT:
                    raise PcscFailed("released", scard.SCARD_E_INVALID_HANDLE)
                yield self._context
        finally:
            if self._released:
                self.release()

    def readers(self) -> list[str]:
        with self.turn() as context:
            hresult, names = scard.SCardListReaders(context, [])
        if code_of(hresult) == code_of(scard.SCARD_E_NO_READERS_AVAILABLE):
            names = []
        else:
            _check("SCardListReaders", hresult)
        self._pnp_count = self._pnp_count or len(names)
        self._traffic.note("readers", "; ".join(names))
        return [str(name) for name in names]

    def wait(self, known: Sequence[ReaderState], timeout_s: float) -> list[ReaderState] | None:
        asked = [(one.name, one.count << 16 | one.flags) for one in known]
        asked.append((_PNP, self._pnp_count << 16))
        with self.turn() as context:
            hresult, answers = scard.SCardGetStatusChange(context, int(timeout_s * 1000), asked)
        if code_of(hresult) in _NOT_NOW:
            return None
        if hresult != scard.SCARD_S_SUCCESS:
            self._traffic.note("status_change", f"{code_of(hresult):08X}")
        _check("SCardGetStatusChange", hresult)
        _, pnp_state, _ = answers[-1]
        if pnp_state & scard.SCARD_STATE_CHANGED:
            # Newer versions compare the count, and would end each wait at once with another one.
            self._pnp_count = pnp_state >> 16 & _FLAGS
        states = [
            ReaderState(str(name), state & _FLAGS, state >> 16 & _FLAGS, bytes(atr))
            for name, state, atr in answers[:-1]
        ]
        for place, state in enumerate(states):
            also = "+" if place else ""  # several readers' news in one answer
            told = f"{also}{state.flags:04X} {state.count} {state.name}"
            self._traffic.received("status_change", state.atr, told)
        return states

    def connect(self, reader: str, *, direct: bool = False) -> ScardCard:
        share = scard.SCARD_SHARE_DIRECT if direct else scard.SCARD_SHARE_SHARED
        protocols = 0 if direct else _PROTOCOLS
        with self.turn() as context:
            hresult, card, protocol = scard.SCardConnect(context, reader, share, protocols)
        self._traffic.note("connect", f"{code_of(hresult):08X}{' direct' if direct else ''}")
        _check("SCardConnect", hresult)
        return ScardCard(self, card, protocol, self._traffic)

    def cancel(self) -> None:
        if self._cancelling is not None and self._cancelling.is_alive():
            return
        # SCardCancel waits for pcscd's answer: one that is stopped must not stop whoever calls.
        self._cancelling = threading.Thread(target=scard.SCardCancel, args=(self._context,), daemon=True)
        self._cancelling.start()

    def release(self) -> None:
        """Give the context back, or leave that to the call that is in it."""
        self._released = True
        if self._turn.acquire(blocking=False):
            try:
                context, self._context = self._context, _NO_CONTEXT
                if context != _NO_CONTEXT:
                    scard.SCardReleaseContext(context)
            finally:
                self._turn.release()


class ScardCard:
    def __init__(self, context: PcscContext, card: int, protocol: int, traffic: Traffic) -> None:
        self._context = context
        self._card = card
        self._protocol = protocol
        self._traffic = traffic

    def transmit(self, apdu: bytes) -> bytes:
        with self._context.turn():
            self._traffic.sent("apdu", apdu)
            begun_s = time.monotonic()
            hresult, answer = scard.SCardTransmit(self._card, self._protocol, list(apdu))
        self._answered("apdu", hresult, bytes(answer), begun_s)
        _check("SCardTransmit", hresult)
        return bytes(answer)

    def control(self, code: int, data: bytes) -> bytes:
        with self._context.turn():
            self._traffic.sent("control", data, f"{code:08X}")
            begun_s = time.monotonic()
            hresult, answer = scard.SCardControl(self._card, code, list(data))
        self._answered("control", hresult, bytes(answer), begun_s)
        _check("SCardControl", hresult)
        return bytes(answer)

    def disconnect(self) -> None:
        with suppress(PcscFailed), self._context.turn():
            scard.SCardDisconnect(self._card, scard.SCARD_LEAVE_CARD)

    def _answered(self, channel: str, hresult: int, answer: bytes, begun_s: float) -> None:
        failed = hresult != scard.SCARD_S_SUCCESS
        self._traffic.received(channel, answer, f"{code_of(hresult):08X}" if failed else "")
        self._traffic.observe(channel, time.monotonic() - begun_s)


def _check(call: str, hresult: int) -> None:
    if hresult != scard.SCARD_S_SUCCESS:
        raise PcscFailed(call, hresult, str(scard.SCardGetErrorMessage(hresult)))


def _establish() -> int:
    for _ in range(2):
        hresult, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code_of(hresult) != code_of(scard.SCARD_W_SECURITY_VIOLATION):
            _check("SCardEstablishContext", hresult)
            return int(context)
    # libpcsclite says this whenever pcscd hangs up on it; twice at once is a refusal and not a crash.
    cause = PcscFailed("SCardEstablishContext", hresult)
    raise DeviceBlocked("not_permitted", "polkit lets this user not use pcscd") from cause
