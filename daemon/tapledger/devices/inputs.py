"""Cards and codes as events: what a technician may see, what is sealed, and how it is read again."""

from __future__ import annotations

import msgspec

from tapledger.devices.events import Draft
from tapledger.errors import Invalid, Refused
from tapledger.membership import identity, scanning
from tapledger.membership.identity import Presented
from tapledger_drivers.ports import (
    CardEvent,
    CardPresented,
    CardRemoved,
    CardTorn,
    Scan,
    ScanEvent,
    TrustLevel,
    UidKind,
)

SHOWN_TAIL = 4


class Code(msgspec.Struct, frozen=True):
    """A code as it is kept until the till has taken it."""

    text: str
    simulated: bool


def presented(event: CardPresented, simulated: bool = False) -> Presented:
    """Return the credential that a read proves; raise ``Refused`` for a card that identifies nobody."""
    trust = event.trust
    if trust.credential is not None and trust.level >= TrustLevel.L1:
        shown = Presented("card", trust.credential, int(trust.level), trust.evidence)
    elif event.uid_kind is UidKind.RANDOM:
        raise Refused("CARD_NUMBER_CHANGES")
    elif event.uid_kind is UidKind.FORBIDDEN:
        raise Refused("CARD_NUMBER_SHARED")
    else:
        shown = Presented("uid", event.uid.hex().upper(), int(TrustLevel.L0), trust.evidence)
    return identity.simulated(shown) if simulated else shown


def entered(scan: Scan) -> str:
    """Return what a code enters at the till: of a GS1 code its trade item, as its EAN barcode has it."""
    item = next((value for identifier, value in scan.gs1 if identifier == "01"), "")
    if not item:
        return scan.text
    return item[6:] if item.startswith("000000") else item.removeprefix("0")


def torn(event: CardTorn) -> Refused:
    return Refused("CARD_TWO_AT_ONCE" if event.reason == "collision" else "CARD_TORN")


def draft(device: str, claim: str, face: str, event: CardEvent | ScanEvent, simulated: bool) -> Draft:
    """Return what is stored of an input. Only what the device's own face is to handle stays open."""
    match event:
        case CardPresented():
            shown = {"what": "card", "tech": event.tech, "uid_kind": event.uid_kind.value,
                     "level": int(event.trust.level)}  # fmt: skip
            private, usable = _card(event, simulated)
            return Draft(device, "data", _marked(shown, simulated), private, claim, usable and claim == face)
        case CardRemoved():
            return Draft(device, "data", _marked({"what": "removed"}, simulated), claim=claim)
        case CardTorn():
            shown = {"what": "torn", "reason": event.reason}
            return Draft(device, "data", _marked(shown, simulated), claim=claim)
        case Scan():
            shown = {"what": "code", "symbology": event.symbology, "aim_id": event.aim_id,
                     "encoding": event.encoding, "length": len(event.text)}  # fmt: skip
            private = _code(event, simulated)
            is_open = claim == face and private != b""
            return Draft(device, "data", _marked(shown, simulated), private, claim, is_open)
        case _:
            shown = {"what": "refused", "reason": event.reason, "length": event.length}
            return Draft(device, "data", _marked(shown, simulated), claim=claim)


def _marked(shown: dict[str, str | int], simulated: bool) -> dict[str, str | int | bool]:
    return {**shown, "simulated": True} if simulated else {**shown}


def _code(event: Scan, simulated: bool) -> bytes:
    """Return what is kept of a code: nothing of a payment secret that the scanner let pass (R27)."""
    text = entered(event)
    try:
        scanning.refuse_payment_secrets(text)
    except Invalid:
        return b""
    return msgspec.msgpack.encode(Code(text, simulated))


def _card(event: CardPresented, simulated: bool) -> tuple[bytes, bool]:
    """Return what is kept of a card, and whether it can name anybody."""
    try:
        return msgspec.msgpack.encode(presented(event, simulated)), True
    except Refused as error:
        return msgspec.msgpack.encode(Presented("uid", event.uid.hex().upper(), 0, error.code)), False


def read_code(private: bytes) -> Code | None:
    """Return a stored code; None for what cannot be read any more."""
    try:
        return msgspec.msgpack.decode(private, type=Code)
    except msgspec.DecodeError:
        return None


def read_card(private: bytes) -> Presented | None:
    """Return a stored card; None for what cannot be read any more."""
    try:
        return msgspec.msgpack.decode(private, type=Presented)
    except msgspec.DecodeError:
        return None


def private_view(private: bytes) -> dict[str, str]:
    """Return what a test shows to who made it: the code, or the card by the end of its number."""
    code, card = read_code(private), read_card(private)
    if code is not None:
        return {"text": code.text}
    if card is not None:
        return {"kind": card.kind, "tail": card.value[-SHOWN_TAIL:], "evidence": card.evidence}
    return {}
