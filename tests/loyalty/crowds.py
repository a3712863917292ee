"""Members who send each other: joining, buying, returning, and what the night does."""

from __future__ import annotations

import datetime as dt

from tapledger.loyalty import members, tallies
from tapledger.loyalty.decisions import Decision, decision
from tapledger.loyalty.effects import Tallied
from tapledger.loyalty.gains import Gained
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.members import Member
from tapledger.loyalty.people import referring
from tapledger.loyalty.people.referring import SetReferrer
from tapledger.loyalty.program import Clause, Program, Tier
from tapledger.loyalty.program.people import Gain, Referral
from tapledger.loyalty.tiers import tier_reviews, tiering
from tests.loyalty.givens import DAY, program

START = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)
"""12:00 in Shanghai; a sale of this day counts on 10 March."""
RULE = Referral(referrer=Gain(points=200, growth=5), referee=Gain(points=100), min_sale_minor=1000)
THREE = [[Clause("referrals", 3)]]
RULES = program(
    tiers=[
        Tier("normal", {}),
        Tier("silver", {}, reach=THREE),
        Tier("gold", {}, reach=[[Clause("referees", 3, reached="silver")]]),
    ],
    referral=RULE,
)


class Crowd:
    """Members who send each other, with the steps that use cases take."""

    def __init__(self, rules: Program = RULES) -> None:
        self.rules = rules
        self.now = START
        self.members: dict[str, Member] = {}
        self.sales = 0

    def join(self, name: str, by: str = "", **asked: object) -> Member:
        self.now += dt.timedelta(seconds=1)
        self.members[name] = Member(name, self.now)
        if by:
            command = SetReferrer(**asked)  # type: ignore[arg-type]
            for one in referring.decide_referrer(
                self.members[name], self.members[by], command, self.rules, self.now
            ):
                self.keep(one)
        return self.members[name]

    def keep(self, one: Decision) -> None:
        assert one.after is not None
        self.members[one.after.id] = one.after

    def buy(self, name: str, minor: int = 1000) -> str:
        self.sales += 1
        sale, day = f"sale-{self.sales}", self._day()
        plus = referring.after_sale(self.members[name], sale, minor, self.rules, self.now)
        counted = (Tallied(tallies.SPEND, day, minor), Tallied(tallies.SALES, day, 1))
        self.post(name, Gained(plus.lines, (*counted, *plus.effects), plus.reasons))
        return sale

    def give_back(self, name: str, sale: str, kept_minor: int = 0) -> None:
        self.post(name, referring.after_return(self.members[name], sale, kept_minor, self.rules, self.now))

    def post(self, name: str, part: Gained) -> None:
        body = EventBody(
            kind="sale", at=self.now, program="1", member=name, lines=part.lines, effects=part.effects
        )
        self.keep(decision(self.members[name], body))
        self.tell(name)

    def tell(self, name: str) -> int:
        """Go up from a member to their referrers; return how many were told anything."""
        told, referee = 0, self.members[name]
        while referee.referrer:
            one = referring.told(self.members[referee.referrer], referee, self.rules, self.now)
            if one is None:
                break
            self.keep(one)
            told, referee = told + 1, self.members[referee.referrer]
        return told

    def night(self, days: int = 1) -> None:
        """What the daily job does, after so many days."""
        self.now += days * DAY
        for name in sorted(self.members):
            for decide in (referring.decide_qualified, tier_reviews.decide_review):
                while (one := decide(self.members[name], self.rules, self.now)) is not None:
                    self.keep(one)
                    self.tell(name)

    def tier(self, name: str) -> str:
        return tiering.current(self.members[name], self.rules, self.now).id

    def points(self, name: str) -> tuple[int, int]:
        have = members.points(self.members[name], self.now)
        return have.available - have.deficit, have.pending

    def _day(self) -> int:
        return self.now.astimezone(self.rules.zone()).date().toordinal()
