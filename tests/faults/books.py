"""What shops have recorded beside what central holds of it: every event once, whole and in order."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher

from tapledger import settings
from tapledger.commands.verify import verify_shop
from tapledger.store import keyring

Entry = tuple[str, int, int, bytes]
"""(node, epoch, seq, hash) of one event."""


def recorded(config: Path) -> list[Entry]:
    """Read a shop's journal beside its daemon."""
    node = keyring.load(config.parent).node
    with closing(sqlcipher.connect(f"file:{config.parent / 'shop.db'}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT epoch, seq, hash FROM event").fetchall()
    return [(node, epoch, seq, bytes(event_hash)) for epoch, seq, event_hash in rows]


def raws(config: Path) -> list[bytes]:
    """Return the events of a shop's journal as they were recorded."""
    with closing(sqlcipher.connect(f"file:{config.parent / 'shop.db'}?mode=ro", uri=True)) as connection:
        return [bytes(row[0]) for row in connection.execute("SELECT raw FROM event ORDER BY epoch, seq")]


def held(url: str) -> list[Entry]:
    """Read what nodes have sent, beside central: of its file, or of PostgreSQL as one who sees everybody.

    What central has recorded itself, such as leases, is not among it.
    """
    if url.startswith("postgresql:"):
        url = url.replace("postgresql:", "postgresql+psycopg:", 1)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT node, epoch, seq, hash FROM inbox WHERE node IN (SELECT node FROM node)")
        ).all()
    engine.dispose()
    return [(node, epoch, seq, bytes(event_hash)) for node, epoch, seq, event_hash in rows]


def differences(shops: Iterable[Entry], central: Iterable[Entry]) -> list[str]:
    """Return in words where central has not each event of the shops once, unaltered and without a gap."""
    here, there = {entry[:3]: entry[3] for entry in shops}, Count(central)
    places = Count(entry[:3] for entry in there.elements())
    found = [f"lost {_name(place)}" for place in here if place not in places]
    found += [f"twice {_name(place)}" for place, count in places.items() if count > 1]
    for node, epoch, seq, event_hash in there:
        place = (node, epoch, seq)
        if here.get(place) != event_hash:
            found.append(f"{'altered' if place in here else 'unknown'} {_name(place)}")
        if seq > 1 and (node, epoch, seq - 1) not in places:
            found.append(f"gap before {_name(place)}")
    return sorted(found)


async def chain_is_whole(config: Path) -> bool:
    return (await verify_shop(settings.read(config), lambda count: None)).ok


def _name(place: tuple[str, int, int]) -> str:
    return "-".join(map(str, place))
