"""Every use case that records something, each with a call that works: what is tried is changed from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tapledger.loyalty.facts import Tender
from tapledger.loyalty.life.consenting import Statement
from tapledger.loyalty.life.lifecycle import Erase
from tapledger.loyalty.people.birthdays import SetBirthday
from tapledger.loyalty.pricing import ManualDiscount
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.loyalty.sales.selling import Wants
from tapledger.loyalty.tiers.tier_reviews import GiveTier
from tapledger.membership import (
    alliance,
    cards,
    check_in,
    coupons,
    entitlement,
    exchange,
    feedback,
    grants,
    late_credit,
    lottery,
    merging,
    occasions,
    participation,
    pending,
    privacy,
    profile,
    redemption,
    referral,
    refund,
    registration,
    sale,
    standing,
    stored_value,
    tiers,
    virtual_cards,
)
from tapledger.membership.identity import Presented
from tests.limits.ground import LANGUAGE, Ground
from tests.limits.leaves import bent
from tests.lives.rules import BOTTLE

KEY = "the-key"
OTHER = ("member", "old", "sale", "template", "points", "client_seed", "staff", "text", "reason", "score")
"""Fields by which a command with the same key is another one."""


@dataclass(frozen=True, slots=True)
class Case:
    """One use case and its arguments after the shop."""

    use: Callable[..., Awaitable[Any]]
    asked: Callable[[Ground], dict[str, Any]]

    def other(self, ground: Ground) -> dict[str, Any]:
        """Return another command with the same key."""
        tried = {
            path.rpartition(".")[2] or path: make
            for path, limit, make in bent(self.asked(ground))
            if limit in ("unknown", "2^63")
        }
        other: dict[str, Any] = next(tried[field] for field in OTHER if field in tried)()
        return other

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"{self.use.__module__.removeprefix('tapledger.membership.')}.{self.use.__name__}"


def _back(g: Ground) -> refund.ReturnCommand:
    return refund.ReturnCommand(KEY, "sale", (ReturnedLine(0, 1000),), "s-1", LANGUAGE, "torn")


def _wants(g: Ground) -> Wants:
    return Wants((g.coupon,), points=30, manual=ManualDiscount("scratch", off_minor=10))


def _sale(g: Ground) -> dict[str, Any]:
    paid = (Tender("value", 500), Tender("cash", 5000))
    return {"command": g.sale(KEY, tenders=paid, wants=_wants(g), scanned=("code/public",))}


def _top_up(g: Ground) -> dict[str, Any]:
    paid = (Tender("cash", 5000),)
    return {"command": stored_value.TopUpCommand(KEY, g.mine, g.card, 5000, paid, "s-1", LANGUAGE)}


def _draw(g: Ground) -> dict[str, Any]:
    command = lottery.DrawCommand(KEY, g.mine, g.card, "wheel", "my seed", g.commit, LANGUAGE, staff="s-1")
    return {"command": command}


def _join(g: Ground) -> dict[str, Any]:
    new = Presented("card", "new", 2, "test")
    more: dict[str, Any] = {"birthday": (5, 5, 1990), "receipts": (g.receipt,), "paying_minor": 100}
    return {"joining": registration.Joining(KEY, "Ann", "13900000000", (new,), "s-1", **more)}


def _sent(g: Ground) -> dict[str, Any]:
    by = Presented("card", "card-0", 1, "test")
    return {
        "command": referral.ReferrerCommand(KEY, g.spare, by, means=("phone",), looked_at=True, staff="s-1")
    }


def _away(g: Ground) -> dict[str, Any]:
    command = alliance.SendCommand(KEY, g.mine, g.card, "air", "them", 10, "s-1", LANGUAGE)
    return {"partner": g.partner, "command": command}


def _mine(**more: Any) -> Callable[[Ground], dict[str, Any]]:
    """Return arguments with the key and the member first; an argument may depend on the ground."""

    def asked(g: Ground) -> dict[str, Any]:
        return {"key": KEY, "member": g.mine} | {k: v(g) if callable(v) else v for k, v in more.items()}

    return asked


def _command(made: Callable[[Ground], Any]) -> Callable[[Ground], dict[str, Any]]:
    return lambda g: {"command": made(g)}


NEW = Presented("card", "new", 2, "test")
SHORT = Presented("uid", "04A1B2C3", 0, "test")

CASES = (
    Case(registration.register_member, _join),
    Case(registration.link_credential, _mine(presented=NEW, staff="s-1")),
    Case(sale.record_sale, _sale),
    Case(pending.record_pending, _sale),
    Case(pending.confirm_pending, lambda g: {"sale": "waiting"}),
    Case(pending.void_pending, lambda g: {"sale": "waiting", "staff": "s-1"}),
    Case(refund.return_sale, _command(_back)),
    Case(refund.void_sale, _command(lambda g: refund.VoidCommand(KEY, "sale", "s-1", LANGUAGE, "wrong"))),
    Case(
        refund.give_back_deposit,
        _command(lambda g: refund.GiveBackCommand(KEY, ((BOTTLE, 2),), "s-1", LANGUAGE)),
    ),
    Case(exchange.exchange, _command(lambda g: exchange.ExchangeCommand(_back(g), g.sale("new-sale")))),
    Case(redemption.hold_reward, _command(lambda g: g.reward(KEY, "cup"))),
    Case(redemption.undo_reward, _mine(hold=lambda g: g.hold)),
    Case(
        redemption.fulfil_voucher,
        lambda g: {"key": KEY, "code": g.voucher, "staff": "s-1", "tender": "cash"},
    ),
    Case(redemption.check_in_to_event, _mine(reward="seat")),
    Case(stored_value.top_up, _top_up),
    Case(
        stored_value.take_back_top_up,
        _command(lambda g: stored_value.TakeBackCommand(KEY, g.mine, g.card, "top-up", "s-1", LANGUAGE)),
    ),
    Case(
        stored_value.close_card,
        _command(lambda g: stored_value.CloseCommand(KEY, g.mine, g.card, "s-1", LANGUAGE)),
    ),
    Case(coupons.issue_coupon, _mine(template="ten", source="test", staff="s-1")),
    Case(coupons.void_coupon, _mine(coupon=lambda g: g.coupon, why="mistake", staff="s-1")),
    Case(
        coupons.print_coupon,
        lambda g: {"key": KEY, "template": "fifth", "source": "test", "staff": "s-1"},
    ),
    Case(coupons.claim_code, _mine(text="hello")),
    Case(coupons.scan_code, lambda g: {"key": KEY, "text": "hello", "member": g.mine}),
    Case(coupons.hold_for_sale, _mine(coupons=lambda g: (g.coupon,), sale="a-sale")),
    Case(coupons.release_for_sale, _mine(coupons=lambda g: (g.coupon,), sale="a-sale")),
    Case(
        merging.merge_members,
        lambda g: {"key": KEY, "old": g.mine, "into": g.other, "staff": "s-1"},
    ),
    Case(merging.undo_merge, lambda g: {"key": KEY, "old": g.gone, "staff": "s-1"}),
    Case(lottery.draw, _draw),
    Case(check_in.check_in, _command(lambda g: check_in.CheckInCommand(KEY, g.card, staff="s-1"))),
    Case(occasions.give_due, lambda g: {"member": g.mine, "moment": "tap"}),
    Case(participation.answer_survey, _mine(survey="taste", answers=(0,), staff="s-1")),
    Case(feedback.give, lambda g: {"key": KEY, "score": 4}),
    Case(feedback.add_reason, lambda g: {"key": KEY, "score": 4, "reason": "staff"}),
    Case(participation.approve_share, _mine(share="story", what="a picture", staff="s-1")),
    Case(
        entitlement.use_entitlement,
        _command(lambda g: entitlement.UseCommand(KEY, g.card, "room", 1, "door", "s-1")),
    ),
    Case(
        grants.grant_points,
        _command(lambda g: grants.GrantCommand(KEY, g.mine, 20, "birthday cake", "s-1", "s-2")),
    ),
    Case(late_credit.late_credit, _mine(sale="sale-of-nobody", staff="s-1")),
    Case(cards.block_card, _mine(index=lambda g: g.index, why="lost", staff="s-1")),
    Case(cards.unblock_card, _mine(index=lambda g: g.lost, staff="s-1")),
    Case(cards.replace_card, _mine(index=lambda g: g.index, new=NEW, staff="s-1")),
    Case(cards.limit_card, _mine(index=lambda g: g.index, limit_minor=500, staff="s-1")),
    Case(cards.link_shared_uid, _mine(presented=SHORT, staff="s-1")),
    Case(profile.change_profile, _mine(edit=profile.ProfileEdit("Ann", "13900000001", "en"), staff="s-1")),
    Case(profile.set_birthday, _mine(command=SetBirthday(5, 6, 1990, "s-1"))),
    Case(profile.set_preferences, _mine(chosen=("tea", "cake"), staff="s-1")),
    Case(standing.change_standing, _mine(step="freeze", staff="s-1", why="asked")),
    Case(tiers.give_tier, _mine(command=GiveTier("gold", "friend", "s-1"))),
    Case(
        privacy.state_consent,
        _mine(said=Statement("said-1", "marketing_sms", True, "v1", "till", "s-1", "")),
    ),
    Case(privacy.erase_member, _mine(command=Erase("s-1", "waiver-7"))),
    Case(referral.set_referrer, _sent),
    Case(alliance.send_points, _away),
    Case(
        alliance.take_points,
        lambda g: {"key": KEY, "partner": "air", "member": g.mine, "points": 10},
    ),
    Case(alliance.pay_in, lambda g: {"key": KEY, "partner": "air", "points": 10, "staff": "s-1"}),
    Case(virtual_cards.issue_virtual_card, _mine(staff="s-1")),
)

NOT_RECORDING = {
    "basket.keep": "a draft: nothing is posted",
    "sign_in": "accounts of staff, no ledger",
    "alliance.account": "looks",
    "alliance.exchange_of": "looks",
    "alliance.has_taken": "what send_points asks the other side; tests/membership/test_alliance.py",
    "alliance.settle": "asks a partner about what send_points began",
    "looking_up.look_up": "looks",
    "tap.greet_member": "looks; rings an alarm for a card that is refused",
    "alliance.settle_open": "asks a partner about what send_points began",
    "pins": "proofs beside a card, no ledger; tests/membership/test_pins.py",
    "staff_cards": "cards of staff, no ledger; tests/membership/test_staff_cards.py",
    "parking": "drafts: nothing is posted; tests/web/test_till_parking.py",
    "shifts": "parts of the chain, nothing is posted; tests/membership/test_shifts.py",
    "lottery.publish": "makes the seed at the first look, once",
    "lottery.reveal": "ends a lottery; tests/membership/test_lottery.py",
    "cards.ring": "an alarm for staff",
    "night.run": "what is due; tests/lives runs it twice every time",
    "redemption.give_back_lapsed": "part of the night",
    "stock.give_back": "part of a round of sync",
    "shop.change_member": "what use cases are made of",
    "programs.choose": "reads the file of rules",
    "sale.secure": "asks central for a lease before record_sale; the event is central's",
    "sharing.share": "asked by a kiosk in a message that is checked; tests/hub",
    "tap.welcome_member": "give_due, at a tap",
    "virtual_cards.prove_virtual_card": "takes a code of a telephone; no event",
}
"""Public async functions of ``membership`` that change something and are no command of the ledger."""
