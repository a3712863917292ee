"""Proves the journal: walks every event of a shop and names the first that was altered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tapledger.commands import looking
from tapledger.database import Transaction
from tapledger.errors import Corrupt
from tapledger.settings import Settings
from tapledger.store import journal, keyring, salvage
from tapledger.store.journal import Broken
from tapledger.store.store import FILE_NAME

PROGRESS_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Verified:
    node: str
    events: int
    broken: tuple[Broken, ...]
    saved: tuple[tuple[int, int], ...] = ()
    """Of a journal that is broken, by epoch: up to which event all of it can be saved."""

    @property
    def ok(self) -> bool:
        return not self.broken

    def as_dict(self) -> dict[str, object]:
        faults = [{"event": self._name(one), "why": one.why} for one in self.broken]
        told: dict[str, object] = {"ok": self.ok, "node": self.node, "events": self.events, "broken": faults}
        if not self.ok:
            told["saved"] = [{"epoch": epoch, "events": events} for epoch, events in self.saved]
        return told

    def sentence(self) -> str:
        if self.ok:
            return f"{self.events} events, every one as it was recorded."
        lines = [f"Event {self._name(one)} is not as it was recorded ({one.why})." for one in self.broken]
        saved = ", ".join(f"{self.node}-{epoch}-{events}" for epoch, events in self.saved if events)
        lines.append(f"{self.events} events are whole; all up to {saved or 'none'} can be saved.")
        return "\n".join([*lines, "Keep the file and call support."])

    def _name(self, broken: Broken) -> str:
        return f"{self.node}-{broken.epoch}-{broken.seq}"


async def verify_shop(settings: Settings, progress: Callable[[int], None]) -> Verified:
    """Check the journal of a shop as it is now; the daemon may go on writing meanwhile.

    Raises ``Corrupt`` when the file cannot be read, or every event is whole, but the file around them is
    damaged; it says how many events can be saved.
    """
    node = keyring.load(settings.store.folder).node
    path = settings.store.folder / FILE_NAME

    def work(tx: Transaction) -> Verified:
        result = _verify(tx, node, progress)
        if result.ok and (why := journal.check_file(tx)):
            raise Corrupt("STORE_UNREADABLE", path=str(path), why=why)
        return result

    try:
        result = await looking.look(settings, work)
    except Corrupt as error:
        saved = salvage.whole(path, node)
        if error.code == "STORE_UNREADABLE" and any(saved.values()):
            raise Corrupt("STORE_DAMAGED", **error.data, saved=sum(saved.values())) from error
        raise
    return result if result.ok else replace(result, saved=tuple(salvage.whole(path, node).items()))


def _verify(tx: Transaction, node: str, progress: Callable[[int], None]) -> Verified:
    checked, broken = 0, []
    for found in journal.verify(tx, node):
        if isinstance(found, Broken):
            broken.append(found)
        else:
            checked = found
            if checked % PROGRESS_EVENTS == 0:
                progress(checked)
    return Verified(node, checked, tuple(broken))
