"""Makes a backup of a shop while it runs, and brings one back (docs/decisions/0018)."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tapledger.app import open_shop
from tapledger.clock import Clock
from tapledger.commands import looking
from tapledger.errors import Corrupt, Invalid, Refused, Unavailable
from tapledger.settings import Settings
from tapledger.store import backups, epochs, keyring, lock
from tapledger.store.backups import Held, Later
from tapledger.store.keyring import Keyring
from tapledger.store.store import FILE_NAME

CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""A clock that is further behind than this was not set: epochs are counted by it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore brings back, and what it does not."""

    held: Held
    later: Later | None
    """What the present ledger has recorded since; None when there is no present one."""
    epoch: int
    """That begins with the restored ledger."""
    waits_for_central: bool
    """Nothing is spent until central was asked."""
    aside: Path | None = None
    """Where the present ledger is kept; None before it was replaced, or when there was none."""

    def as_dict(self) -> dict[str, object]:
        later = self.later or Later({}, 0, 0)
        return {
            **told(self.held),
            "follows": later.follows,
            "lost": later.others,
            "has_present": self.later is not None,
            "begins_epoch": self.epoch,
            "waits_for_central": self.waits_for_central,
            "aside": None if self.aside is None else str(self.aside),
        }

    def sentences(self, *, is_done: bool) -> str:
        lines = [sentence(self.held)]
        if self.later is None:
            lines.append("There is no present ledger to compare it with.")
        else:
            lines.append(f"Recorded here since: {self.later.follows} events, which come along.")
        if self.later is not None and self.later.others:
            lines.append(f"{self.later.others} others do not follow it and stay in the file kept aside.")
        if self.waits_for_central:
            lines.append("Points are earned at once; nothing is spent until central was asked.")
        if is_done:
            lines.append(f"Restored. Epoch {self.epoch} begins." + self._kept())
        else:
            lines.append("Nothing was changed.")
        return "\n".join(lines)

    def _kept(self) -> str:
        return "" if self.aside is None else f" The ledger that was here is kept as {self.aside}."


def told(held: Held) -> dict[str, object]:
    made = held.made_at
    return {
        "node": held.node,
        "events": held.events,
        "epoch": held.epoch,
        "seq": held.seq,
        "unsynced": held.unsynced,
        "made_at": None if made is None else made.isoformat(),
        "last_event_at": held.last_at.isoformat() if held.events else None,
    }


def sentence(held: Held) -> str:
    made = "at an unknown time" if held.made_at is None else f"{held.made_at:%Y-%m-%d %H:%M} UTC"
    return f"A backup of {held.node}, made {made}: {held.events} events, the last {held.epoch}-{held.seq}."


async def back_up(settings: Settings, file: Path, clock: Clock) -> Held:
    """Write a backup of the shop's ledger as it is now; its daemon may be running."""
    node = keyring.load(settings.store.folder).node
    _check_place(settings, file)
    return await looking.look(settings, lambda tx: backups.write(tx, file, node, clock.now()))


def _check_place(settings: Settings, file: Path) -> None:
    if settings.store.folder.resolve() in file.resolve().parents:
        raise Invalid("BACKUP_PLACE", path=str(file))


async def plan_restore(settings: Settings, file: Path, clock: Clock) -> Plan:
    """Say what a restore would do; change nothing. The daemon may be running."""
    return await _plan(settings, keyring.load(settings.store.folder), file, clock)


async def restore(settings: Settings, file: Path, clock: Clock) -> Plan:
    """Bring a backup back; the daemon is stopped. The present ledger is kept beside it.

    Everything is made ready and checked before anything is replaced. Raises ``Unavailable`` STORE_IN_USE
    while the daemon runs, ``Refused`` CLOCK_BEHIND for a clock that was not set.
    """
    folder = settings.store.folder
    keys = keyring.load(folder)
    with closing(lock.take(folder)):
        await asyncio.to_thread(backups.put_in_place, folder / FILE_NAME)
        plan = await _plan(settings, keys, file, clock)
        aside = await _carry_out(settings, file, plan, clock)
        return Plan(plan.held, plan.later, plan.epoch, plan.waits_for_central, aside)


async def _plan(settings: Settings, keys: Keyring, file: Path, clock: Clock) -> Plan:
    held = await asyncio.to_thread(backups.read, file, keys.node)
    now = clock.now()
    made = held.made_at or held.last_at
    if now < made - CLOCKS_DIFFER:
        raise Refused("CLOCK_BEHIND", now=now.isoformat(), made=made.isoformat())
    later = await _later(settings, held)
    epoch = epochs.after_restore((held.current, 0 if later is None else later.epoch), now)
    return Plan(held, later, epoch, keys.enrolled and bool(settings.central.url))


async def _later(settings: Settings, held: Held) -> Later | None:
    path = settings.store.folder / FILE_NAME
    if not path.exists():
        return None
    try:
        return await looking.look(settings, lambda tx: backups.later(tx, held))
    except (Corrupt, Unavailable):
        return await asyncio.to_thread(backups.later_of_damaged, path, held)


async def _carry_out(settings: Settings, file: Path, plan: Plan, clock: Clock) -> Path | None:
    folder = settings.store.folder
    why = epochs.ROLLED_BACK if plan.waits_for_central else ""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restoring-") as name:
            staging = Path(name)
            os.link(folder / keyring.FILE_NAME, staging / keyring.FILE_NAME)
            await asyncio.to_thread(shutil.copyfile, file, staging / FILE_NAME)
            await _begin_again(settings, staging, plan, why, clock)
            aside = backups.make_ready(staging / FILE_NAME, folder / FILE_NAME, plan.epoch)
    except OSError as error:
        raise Unavailable("BACKUP_FAULT", path=str(folder), why=str(error.strerror)) from error
    await asyncio.to_thread(backups.put_in_place, folder / FILE_NAME)
    return None if plan.later is None else aside


async def _begin_again(settings: Settings, staging: Path, plan: Plan, why: str, clock: Clock) -> None:
    """Open the copy as a shop, so that all that is kept beside the ledger is brought up with it."""
    there = settings.store.model_copy(update={"folder": staging, "ballast_mb": 0})
    shop = await open_shop(settings.model_copy(update={"store": there}), clock, os.urandom)
    came = plan.later or Later({}, 0, 0)
    try:
        project = shop.store.on_restored
        await shop.store.transact(
            lambda tx: backups.begin_again(tx, plan.held, came, plan.epoch, why, project)
        )
    finally:
        await shop.store.close()
