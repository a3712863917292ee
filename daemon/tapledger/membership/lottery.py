"""Lotteries at this shop: published, drawn, ended and proved (loyalty.md section 3.18)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tapledger.database import Transaction
from tapledger.errors import Corrupt, NotFound, Refused
from tapledger.loyalty import days, eligibility, tallies
from tapledger.loyalty.facts import Reason
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.program.people import Lottery
from tapledger.loyalty.rewards import drawing, lottery
from tapledger.loyalty.rewards.drawing import TakePart
from tapledger.membership import identity, permits, receipts, redemption, stock
from tapledger.membership.identity import Presented
from tapledger.membership.shop import Shop, operation
from tapledger.store import seeds
from tapledger.store.journal import Recorded
from tapledger.store.people import NONCE_BYTES, close_box, open_box


class Secret(msgspec.Struct, frozen=True):
    """What is sealed until the end, with the weights it was committed to for."""

    seed: bytes
    weights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What anybody may know before the first draw."""

    rule: Lottery
    commit: str
    odds_bp: tuple[int, ...]
    """Before stock; they sum to exactly 100.00 %."""
    left: tuple[int | None, ...]
    """Of each prize; None is without limit."""


@dataclass(frozen=True, slots=True)
class DrawCommand:
    """A member draws. ``commit`` is the one the kiosk showed: a draw under another is refused."""

    key: str
    member: str
    presented: Presented
    lottery: str
    client_seed: str
    commit: str
    language: str
    reward: str = ""
    """The reward of kind ``draw`` that pays for it; empty: the lottery's own price."""
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    recorded: Recorded
    prize: int
    """Drawn, counted from 0."""
    given: int | None
    """Handed over: the fallback when the drawn one is out of stock; None when nothing is left."""


@dataclass(frozen=True, slots=True)
class Revealed:
    seed: str
    """In hex; its SHA-256 is the commit."""
    commit: str
    draws: tuple[lottery.Draw, ...]
    wrong: tuple[Reason, ...]
    """What this shop's own draws have wrong; empty when all is right."""


async def publish(shop: Shop, lottery_id: str) -> Published:
    """Return a lottery's prizes, odds and commit; the seed is made at the first time it is asked for."""

    def work(tx: Transaction) -> Published:
        rule = _rule(shop, lottery_id)
        commit = _seed(tx, shop, rule).commit
        odds = lottery.odds_bp([prize.weight for prize in rule.prizes])
        return Published(rule, commit, tuple(odds), tuple(_left(tx, shop, rule).values()))

    return await shop.store.transact(work)


async def draw(shop: Shop, command: DrawCommand) -> Drawn:
    """Draw once; a repeat of the same key is the same draw. Raises ``Refused`` with the reason."""
    same = operation(
        command.key,
        "draw",
        command.member,
        command.lottery,
        command.client_seed,
        command.reward,
        command.presented.level,
    )

    await permits.secure(shop, same, command.member, permits.points(_cost(shop, command)))

    def work(tx: Transaction) -> Drawn:
        if (before := shop.store.journal.find(tx, same)) is not None:
            return _drawn(before)
        now, rule = shop.clock.now(), _rule(shop, command.lottery)
        kept = _seed(tx, shop, rule)
        if kept.revealed:
            raise Refused("LOTTERY_OVER")
        if kept.commit != command.commit:
            raise Refused("LOTTERY_COMMIT_OTHER")
        known = identity.by_id(tx, shop, command.member, command.presented)
        hand = permits.hand_of(tx, shop, known.member)
        figures = redemption.figures(tx, shop, known, command.reward, "", command.language, command.staff)
        part = TakePart(
            lottery=rule.id,
            client_seed=command.client_seed,
            seed=_secret(shop, rule, kept).seed,
            stock_left=_left(tx, shop, rule),
            figures=figures,
            node=shop.store.keyring.node,
        )
        decided = hand.draw(drawing.decide_draw(hand.ready, part, shop.program, now), shop.program)
        recorded = shop.record(tx, same, decided, now)
        receipts.queue(tx, shop, recorded, "draw", command.language, decided.after, known.name)
        return _drawn(recorded)

    return await shop.store.transact(work)


async def reveal(shop: Shop, lottery_id: str) -> Revealed:
    """End a lottery for good: give the seed away and check every draw made here.

    Raises ``Refused`` LOTTERY_RUNNING while its time is not over.
    """

    def work(tx: Transaction) -> Revealed:
        rule, now = _rule(shop, lottery_id), shop.clock.now()
        until = rule.when.to
        if until is not None and now < days.instant(until, shop.program.zone()):
            raise Refused("LOTTERY_RUNNING", to=eligibility.shown(until))
        kept = seeds.get(tx, rule.id)
        if kept is None:
            raise Refused("LOTTERY_NEVER_OPENED")
        seeds.reveal(tx, rule.id)
        secret = _secret(shop, rule, kept)
        bodies = (recorded.event.body for recorded in shop.store.journal.all_of(tx, "draw"))
        draws = tuple(_as_drawn(body) for body in bodies if body.facts.get("commit") == kept.commit)
        wrong = lottery.verify(secret.seed, kept.commit, secret.weights, draws)
        return Revealed(secret.seed.hex(), kept.commit, draws, tuple(wrong))

    return await shop.store.transact(work)


def _cost(shop: Shop, command: DrawCommand) -> int:
    """Return what a draw costs in points; 0 for one that is going to be refused."""
    rule = shop.program.lottery(command.lottery)
    reward = shop.program.reward(command.reward) if command.reward else None
    if reward is not None:
        return reward.cost_points
    return 0 if rule is None else rule.cost_points


def _rule(shop: Shop, lottery_id: str) -> Lottery:
    rule = shop.program.lottery(lottery_id)
    if rule is None:
        raise NotFound("LOTTERY_UNKNOWN")
    return rule


def _seed(tx: Transaction, shop: Shop, rule: Lottery) -> seeds.Seed:
    kept = seeds.get(tx, rule.id)
    if kept is None:
        secret = Secret(shop.randomness(lottery.SEED_BYTES), tuple(prize.weight for prize in rule.prizes))
        box = close_box(
            shop.store.keyring.profile_key,
            _box_name(rule.id),
            msgspec.msgpack.encode(secret),
            shop.randomness(NONCE_BYTES),
        )
        kept = seeds.Seed(box, lottery.commit(secret.seed), False)
        seeds.add(tx, rule.id, box, kept.commit)
    if rule.commit and rule.commit != kept.commit:
        raise Refused("LOTTERY_SEED_ELSEWHERE")
    return kept


def _secret(shop: Shop, rule: Lottery, kept: seeds.Seed) -> Secret:
    """Open a seed; raise ``Refused`` when the prizes are others than those it was committed to for."""
    try:
        plain = open_box(shop.store.keyring.profile_key, _box_name(rule.id), kept.sealed)
        secret = msgspec.msgpack.decode(plain, type=Secret)
    except (ValueError, msgspec.DecodeError) as error:
        raise Corrupt("LOTTERY_SEED_UNREADABLE", lottery=rule.id) from error
    if secret.weights != tuple(prize.weight for prize in rule.prizes):
        raise Refused("LOTTERY_CHANGED")
    return secret


def _box_name(lottery_id: str) -> str:
    return f"lottery/{lottery_id}"


def _left(tx: Transaction, shop: Shop, rule: Lottery) -> dict[str, int | None]:
    keys = {prize.id: tallies.of_prize(rule.id, prize.id) for prize in rule.prizes}
    left = stock.left(tx, shop, {keys[prize.id]: prize.stock for prize in rule.prizes})
    return {prize: left[key] for prize, key in keys.items()}


def _drawn(recorded: Recorded) -> Drawn:
    facts = recorded.event.body.facts
    given = int(facts["given"])
    return Drawn(recorded, int(facts["prize"]), None if given < 0 else given)


def _as_drawn(body: EventBody) -> lottery.Draw:
    facts = body.facts
    return lottery.Draw(
        str(facts["lottery"]),
        body.member or "",
        int(facts["nonce"]),
        str(facts["client_seed"]),
        int(facts["prize"]),
    )
