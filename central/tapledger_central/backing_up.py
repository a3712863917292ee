"""Copies central's own file while it runs, and brings one back (docs/central-operations.md, Backups)."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tapledger.clock import Clock
from tapledger.database import Database, InlineExecutor, copy, look_into
from tapledger.durable import LOGS, sync, written_beside
from tapledger.errors import Conflict, Corrupt, Invalid, Unavailable
from tapledger_central.keys import load_or_make
from tapledger_central.settings import CentralSettings
from tapledger_central.store import FILE_NAME, restored
from tapledger_central.store.sqlite import open_sqlite


@dataclass(frozen=True, slots=True)
class Held:
    """What a backup holds."""

    tenant: str
    nodes: int
    events: int


def back_up(settings: CentralSettings, file: Path) -> Held:
    """Write a verified copy of central's file as it is now, for its user alone; central may be running."""
    database = _own_file(settings)
    if settings.data_folder.resolve() in file.resolve().parents:
        raise Invalid("BACKUP_PLACE", path=str(file))
    opened = Database.prepared(database, lambda connection: None, InlineExecutor(), read_only=True)
    try:
        with _written_beside(file) as temporary:
            opened.transact_now(lambda tx: copy(tx, temporary))
            held = read(temporary)
            sync(temporary)
            temporary.rename(file)
            sync(file.parent)
    finally:
        asyncio.run(opened.close())
    return held


def read(file: Path) -> Held:
    """Return what a backup holds; raise ``Corrupt`` for a damaged one."""
    if not file.is_file():
        raise Invalid("BACKUP_MISSING", path=str(file))
    why, tenant, nodes, events = look_into(file, restored.look)
    if why:
        raise Corrupt("BACKUP_DAMAGED", path=str(file), why=why)
    return Held(tenant, nodes, events)


def plan_restore(settings: CentralSettings, file: Path) -> tuple[Held, Held | None]:
    """Return what a backup holds and what is here now, None when that cannot be read; change nothing."""
    database = _own_file(settings)
    held = read(file)
    expected = load_or_make(settings.data_folder, os.urandom).tenant
    if held.tenant not in ("", expected):
        raise Conflict("BACKUP_OF_ANOTHER", node=held.tenant, expected=expected)
    if not database.is_file():
        return held, None
    try:
        opened = Database.prepared(database, lambda connection: None, InlineExecutor(), read_only=True)
        try:
            why, tenant, nodes, events = opened.transact_now(restored.look)
        finally:
            asyncio.run(opened.close())
    except Corrupt:
        return held, None
    return held, None if why else Held(tenant, nodes, events)


def restore(settings: CentralSettings, file: Path, clock: Clock) -> tuple[Held, Path | None]:
    """Bring a backup back while central is stopped; return what it holds and where the old file is kept.

    Shops read everything again and send what it lacks. Cut short, it is done once more.
    """
    _check_stopped(settings)
    held, _ = plan_restore(settings, file)
    database = _own_file(settings)
    with _written_beside(database) as temporary:
        shutil.copyfile(file, temporary)
        asyncio.run(_lift(temporary, held.tenant, clock))
        sync(temporary)
        aside = None
        if database.exists():
            aside = database.with_name(f"{FILE_NAME}.aside-{clock.now():%Y%m%dT%H%M%S%f}")
            for end in ("", LOGS[0]):
                with suppress(FileNotFoundError):
                    os.link(f"{database}{end}", f"{aside}{end}")
        for end in LOGS:  # SQLite would take the old one's log for the new one's
            Path(f"{database}{end}").unlink(missing_ok=True)
        temporary.rename(database)
        sync(database.parent)
    return held, aside


async def _lift(path: Path, tenant: str, clock: Clock) -> None:
    store = await open_sqlite(path, tenant, InlineExecutor())
    try:
        await store.transact(lambda tx: restored.begin_feed_again(tx, clock.now()))
    finally:
        await store.close()


def _own_file(settings: CentralSettings) -> Path:
    if settings.database_url:
        raise Invalid("BACKUP_BY_POSTGRES")
    return settings.data_folder / FILE_NAME


def _check_stopped(settings: CentralSettings) -> None:
    with suppress(OSError), socket.create_connection((settings.listen_host, settings.listen_port), 1.0):
        raise Unavailable("CENTRAL_RUNNING", host=settings.listen_host, port=settings.listen_port)


@contextmanager
def _written_beside(path: Path) -> Iterator[Path]:
    """Do what ``written_beside`` does; raise the disk's faults as ``Unavailable``."""
    try:
        with written_beside(path) as temporary:
            yield temporary
    except OSError as error:
        raise Unavailable("BACKUP_FAULT", path=str(path), why=str(error.strerror)) from error
