"""Numbers for the owner, read from a shop's store while its daemon may be running."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tapledger import texts
from tapledger.clock import SystemClock
from tapledger.commands import looking
from tapledger.loyalty.program import Program
from tapledger.loyalty.value.lapsing import Owed as Owed
from tapledger.membership import exposure
from tapledger.membership.exposure import Risk as Risk
from tapledger.settings import Settings
from tapledger.store import keyring


async def exposed(settings: Settings, shops_offline: int | None) -> Risk:
    """Return the worst case with so many shops out of reach; by default this one, if it has a central."""
    now, keys = SystemClock().now(), keyring.load(settings.store.folder)
    shops = int(keys.enrolled) if shops_offline is None else shops_offline
    return await looking.look_by_rules(
        settings, now, lambda tx, program: exposure.risk(tx, program, shops, now, keys.node)
    )


async def owed(settings: Settings) -> tuple[list[Owed], Program]:
    """Return what is owed to members, and the programme that prices it."""
    now = SystemClock().now()
    return await looking.look_by_rules(
        settings, now, lambda tx, program: (exposure.liability(tx, program, now), program)
    )


def risk_sentence(risk: Risk) -> str:
    """Say the worst case in words."""
    heard = "never" if risk.last_feed_at is None else risk.last_feed_at.isoformat()
    return (
        f"Worst case now: {risk.in_all} points, {risk.shops_offline} shops offline;"
        f" one member takes at most {risk.per_member}.\n"
        f"This shop: {risk.given_out} points not confirmed, {risk.still_possible} still possible,"
        f" {risk.leased} on lease at no risk."
        f" Central last heard: {heard}."
    )


def owed_table(rows: list[Owed], currency: str) -> str:
    """Say what is owed as a table, one month a line, with the sum."""
    lines = [f"{'until':8} {'points':>12} {'worth':>14} {'principal':>14} {'bonus':>14}"]
    for row in (*rows, _sum(rows)):
        money = [
            texts.money("en", minor, currency)
            for minor in (row.points_minor, row.principal_minor, row.bonus_minor)
        ]
        lines.append(f"{row.month or 'never':8} {row.points:>12} " + " ".join(f"{one:>14}" for one in money))
    return "\n".join(lines)


def owed_json(rows: list[Owed], currency: str) -> dict[str, Any]:
    return {"currency": currency, "months": [asdict(row) for row in rows], "sum": asdict(_sum(rows))}


def _sum(rows: list[Owed]) -> Owed:
    return Owed(
        "sum",
        sum(row.points for row in rows),
        sum(row.points_minor for row in rows),
        sum(row.principal_minor for row in rows),
        sum(row.bonus_minor for row in rows),
    )
