"""What a step can do: one function a kind of step, one line in the table with the keys that it knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tapledger.lab.scenario.actions import (
    allies,
    cards,
    coupons,
    games,
    life,
    participating,
    people,
    phones,
    returning,
    rewards,
    rules,
    selling,
    telling,
    time,
    value,
)
from tapledger.lab.scenario.actions.baskets import BASKET
from tapledger.lab.scenario.actions.returning import RETURNED
from tapledger.lab.scenario.document import Step
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World


@dataclass(frozen=True, slots=True)
class Action:
    run: Callable[[World, Step], Awaitable[Outcome]]
    keys: frozenset[str]


EVERY_STEP_KNOWS = frozenset({"do", "at", "shop", "as", "note", "expect"})
SHOWN = " member card uid phone level"
"""Who it is, and what they show for it."""

PAID = " pay till stepped_up approved staff key" + BASKET + SHOWN
"""How a basket is paid, and by whom."""


def _action(run: Callable[[World, Step], Awaitable[Outcome]], keys: str = "") -> Action:
    return Action(run, frozenset(keys.split()))


ACTIONS: dict[str, Action] = {
    # people
    "join": _action(people.join, "member birthday receipts paying card level phone staff key"),
    "link": _action(people.link, "member card level staff key"),
    "tap": _action(people.tap_card, "phone_tail" + SHOWN),
    "check": _action(people.check, "member"),
    "refer": _action(people.refer, "member referrer kiosk looked_at means staff key"),
    # what a member says and is told
    "birthday": _action(telling.birthday, "member on staff key"),
    "profile": _action(telling.edit_profile, "member name phone language staff key"),
    "prefer": _action(telling.prefer, "member chosen staff key"),
    "consent": _action(telling.consent, "member purpose agrees text channel staff key"),
    "message": _action(telling.message, "member purpose"),
    "history": _action(telling.read_history, "member"),
    # an alliance
    "send_points": _action(allies.send, "partner points losing staff key" + SHOWN),
    "ask_partner": _action(allies.ask, "partner"),
    "take_points": _action(allies.take, "partner points key member"),
    "pay_partner": _action(allies.pay_in, "partner points staff key"),
    # cards
    "block_card": _action(cards.block, "member card why staff key"),
    "unblock_card": _action(cards.unblock, "member card staff key"),
    "replace_card": _action(cards.replace, "member card new level staff key"),
    "limit_card": _action(cards.limit, "member card per_day staff key"),
    "alarms": _action(cards.alarms),
    "link_uid": _action(cards.link_uid, "member uid shared level staff key"),
    "virtual_card": _action(phones.issue, "member staff key"),
    "show_code": _action(phones.show, "phone"),
    "scan_code": _action(phones.scan, "code"),
    # a membership's life
    "freeze": _action(life.change("freeze"), "member why staff key"),
    "unfreeze": _action(life.change("unfreeze"), "member why staff key"),
    "cancel": _action(life.change("cancel"), "member why staff key"),
    "restore": _action(life.change("restore"), "member why staff key"),
    "erase": _action(life.erase, "member waiver staff key"),
    "merge": _action(life.merge, "member into staff key"),
    "unmerge": _action(life.unmerge, "member staff key"),
    "set_tier": _action(life.set_tier, "member tier until why staff key"),
    "grant": _action(life.grant, "member points why staff second key"),
    # the till
    "quote": _action(selling.quote, BASKET + SHOWN),
    "sale": _action(selling.sale, "quote pending" + PAID),
    "confirm": _action(returning.confirm, "sale"),
    "give_up": _action(returning.give_up, "sale staff"),
    "unresolved": _action(returning.unresolved),
    "late_credit": _action(returning.late_credit, "member sale staff key"),
    # goods that come back
    "return": _action(returning.give_back, "staff key" + RETURNED),
    "void": _action(returning.void, "sale reason day_closed staff key"),
    "exchange": _action(returning.exchange, RETURNED + PAID),
    "bottles": _action(returning.bottles, "items staff key"),
    # stored value
    "top_up": _action(value.top_up, "amount pay staff key" + SHOWN),
    "void_top_up": _action(value.void, "top_up staff key" + SHOWN),
    "close_card": _action(value.close_card, "staff key" + SHOWN),
    # what members do besides buying
    "check_in": _action(participating.check_in, "staff key" + SHOWN),
    "answer": _action(participating.answer, "member survey answers staff key"),
    "approve": _action(participating.approve, "member share what staff key"),
    "use": _action(participating.use, "right units place staff key" + SHOWN),
    # rewards and games
    "redeem": _action(rewards.redeem, "reward staff key" + SHOWN),
    "fulfil": _action(rewards.fulfil, "voucher tender staff key"),
    "undo": _action(rewards.undo, "member reward key"),
    "attend": _action(rewards.attend, "member reward key"),
    "publish": _action(games.publish, "lottery"),
    "draw": _action(games.draw, "lottery seed commit reward staff key" + SHOWN),
    "reveal": _action(games.reveal, "lottery"),
    # coupons
    "issue_coupon": _action(coupons.issue, "member coupon source staff key"),
    "print_coupon": _action(coupons.print_paper, "coupon source staff key"),
    "claim_coupon": _action(coupons.claim, "member code typed key"),
    "void_coupon": _action(coupons.void, "member coupon why staff key"),
    "hold_coupons": _action(coupons.hold, "member coupons for key"),
    "release_coupons": _action(coupons.release, "member coupons for key"),
    "wallet": _action(coupons.wallet, "member"),
    # the owner
    "program": _action(rules.program, "changes"),
    "explain": _action(rules.explain, "of language"),
    "owner": _action(rules.owner, "away"),
    "verify": _action(rules.verify),
    "hire": _action(rules.hire, "staff role"),
    # time and the line to central
    "wait": _action(time.wait, "for"),
    "night": _action(time.night),
    "clock": _action(time.clock, "to"),
    "offline": _action(time.offline),
    "online": _action(time.online),
    "sync": _action(time.sync, "lost_answers"),
}
