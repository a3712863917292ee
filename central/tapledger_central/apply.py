"""Stage two: bring members up to date with events that were filed, the next ones of one chain at a time.

A state is the fold of all the member's applied events in one order: hybrid clock, node, epoch, seq (decisions
R4). So it does not depend on the order in which batches arrive or are applied. An event that comes after all
others is folded onto the state; one that comes late makes the member's events be folded again from the first.
What is applied, and how far, is one transaction: doing it again changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tapledger.loyalty.effects import Linked, Unlinked
from tapledger.loyalty.ledger import KINDS, EventBody, linked
from tapledger.loyalty.life import merging
from tapledger.loyalty.members import Member, fold
from tapledger.wire.codec import decode_event
from tapledger.wire.messages import EVERYWHERE
from tapledger_central import reconciling
from tapledger_central.claims import Claims
from tapledger_central.classify import IMPOSSIBLE, KIND_UNKNOWN
from tapledger_central.store import Transaction, inbox, leases, members, news, nodes
from tapledger_central.store.inbox import Filed
from tapledger_central.store.leases import Granted
from tapledger_central.store.members import Applied, Difference, Order

MAX_EVENTS = 500
"""Events of one chain in one transaction."""

Entry = tuple[Filed, EventBody | None]
"""A filed event and its body; None when it is kept but not applied."""


def apply_next(
    tx: Transaction, node: str, epoch: int, now_ms: int, limit: int = MAX_EVENTS, scope: str = ""
) -> int:
    """Apply the next events of a chain and the profiles that came with them, tell what changed, and return
    how many there were of both.

    The caller holds ``news.lock``: one transaction at a time folds members, whatever chains they come from.
    ``scope`` is who else is told; by default the node's own.
    """
    after = inbox.applied(tx, node, epoch)
    filed = inbox.events(tx, node, epoch, after, limit)
    upto = filed[-1].seq if filed else after
    work = _Work(tx, node, epoch, upto, scope or nodes.scope_of(tx, node), now_ms)
    work.apply([(event, _body(event)) for event in filed])
    profiles = work.take_profiles()
    work.finish(max((event.hlc for event in filed), default=0))
    if filed:
        inbox.set_applied(tx, node, epoch, upto)
    return len(filed) + profiles


def condemn_next(tx: Transaction, node: str, epoch: int, now_ms: int) -> None:
    """Keep the next event of a chain, which cannot be applied, like one that was bad when it came: it is
    listed for the owner, and its member's state says that there is no more to come of it."""
    for event in inbox.events(tx, node, epoch, inbox.applied(tx, node, epoch), 1):
        inbox.condemn(tx, event, IMPOSSIBLE)
    apply_next(tx, node, epoch, now_ms, 1)


def pass_over_next(tx: Transaction, node: str, epoch: int, now_ms: int) -> None:
    """Do what ``condemn_next`` does for an event whose member cannot be folded even without it."""
    for event in inbox.events(tx, node, epoch, inbox.applied(tx, node, epoch), 1):
        inbox.condemn(tx, event, IMPOSSIBLE)
        found = Difference(IMPOSSIBLE, node, epoch, event.seq, member=event.member)
        told = members.list_differences(tx, [found], now_ms)
        news.publish(tx, nodes.scope_of(tx, node), told, now_ms)
        inbox.set_applied(tx, node, epoch, event.seq)


def refold(tx: Transaction, member: str) -> Applied | None:
    """Return what a member's applied events give, folded from the first; None without any."""
    return _Work(tx, "", 0, 0, EVERYWHERE, 0).advanced(member, [], {})


def _credentials(body: EventBody) -> list[str]:
    """Return what an event gives its member or takes from them."""
    gone = [effect.index for effect in body.effects if isinstance(effect, Unlinked)]
    return [*gone, *(credential.index for credential in linked(body))]


def _body(event: Filed) -> EventBody | None:
    return None if event.verdict else decode_event(event.raw).body


class _Work:
    """The changes of one transaction: events of one chain up to ``upto``."""

    def __init__(self, tx: Transaction, node: str, epoch: int, upto: int, scope: str, now_ms: int) -> None:
        self._tx = tx
        self._node = node
        self._epoch = epoch
        self._upto = upto
        self._scope = scope
        self._now_ms = now_ms
        self._known: dict[str, Applied] = {}
        self._changed: dict[str, Applied] = {}
        self._told: dict[str, None] = {}
        self._found: list[Difference] = []
        self._claims = Claims(tx)
        self._profiles: list[tuple[str, str, Order]] = []

    def apply(self, entries: list[Entry]) -> None:
        by_member: defaultdict[str, list[Entry]] = defaultdict(list)
        self._claims.read([one for _, body in entries if body is not None for one in _credentials(body)])
        for event, body in entries:
            if event.verdict:
                self._differ(event, event.verdict)
            elif body is not None and body.kind not in KINDS:
                self._differ(event, KIND_UNKNOWN)
            if event.member is not None:
                by_member[event.member].append((event, body))
                if body is not None:
                    self._claim(event, body)
        self._claims.write()
        members.expect_profiles(self._tx, self._profiles)
        self._known = members.load_all(self._tx, list(by_member))
        again = self._to_fold_again(by_member)
        for member, its in by_member.items():
            before, after = self._known.get(member), self.advanced(member, its, again)
            self._keep(after)
            self._found += reconciling.differences(before, after, its)
            self._take_leases(before, its)
        heirs = [one.state.merged_into for one in self._changed.values() if one.state.merged_into]
        for heir in dict.fromkeys(heirs):
            self._tell_heir(heir)

    def take_profiles(self) -> int:
        """Keep the profiles that came with these events and are expected; each is news of its member. Return
        how many came."""
        come = inbox.take_profiles(self._tx, self._node, self._epoch, self._upto)
        for seq, profile in come:
            if hashlib.sha256(profile.sealed).hexdigest() != profile.digest:
                found = ("PROFILE_ALTERED", self._node, self._epoch, seq, profile.digest, profile.member)
                self._found.append(Difference(*found))
            elif members.fill_profile(self._tx, profile):
                self._told[profile.member] = None
        return len(come)

    def finish(self, hlc: int) -> None:
        """Write what changed and tell it under the next versions of every scope that knows of it."""
        members.save_all(self._tx, self._changed.values())
        for one in list(self._changed.values()):
            if one.state.status == "erased":
                self._told.update(dict.fromkeys(members.forget(self._tx, one.state)))
        told = {**self._changed, **self._load(name for name in self._told if name not in self._changed)}
        items = members.items(self._tx, told.values())
        by_scope: defaultdict[str, list[news.Item]] = defaultdict(list)
        for name, one in told.items():
            for scope in one.scopes:
                by_scope[scope].append(items[name])
        by_scope[self._scope] += members.list_differences(self._tx, self._found, self._now_ms)
        # A region may hear of what others recorded long before its own shop did: what it spends counts later.
        heard = max((one.last[0] for one in told.values()), default=0)
        for scope in sorted(by_scope):
            news.publish(self._tx, scope, by_scope[scope], self._now_ms, max(hlc, heard))

    def _load(self, names: Iterable[str]) -> dict[str, Applied]:
        return members.load_all(self._tx, list(names))

    def _differ(self, event: Filed, code: str) -> None:
        self._found.append(Difference(code, event.node, event.epoch, event.seq, member=event.member))

    def _claim(self, event: Filed, body: EventBody) -> None:
        """Give each credential to the member whose claim was applied first; list the others for the owner.

        First come stays: news from a shop that was away never takes a card from whoever has been using it.
        """
        for effect in body.effects:
            if isinstance(effect, Unlinked):
                self._claims.release(effect.index, event.member or "")
        for credential in linked(body):
            owner = self._claims.claim(credential.index, event.member or "")
            if owner != event.member:
                place = (event.node, event.epoch, event.seq, credential.index)
                self._found.append(Difference("CREDENTIAL_CLAIMED_TWICE", *place, event.member, owner))
        if body.profile_digest is not None and event.member is not None:
            self._profiles.append((event.member, body.profile_digest, event.order))

    def _to_fold_again(self, by_member: dict[str, list[Entry]]) -> dict[str, list[Filed]]:
        """Return all events of those whose news cannot just be added, read at once."""
        names = [name for name, its in by_member.items() if self._needs_all(self._known.get(name), its)]
        return inbox.of_members(self._tx, names, self._node, self._epoch, self._upto)

    @staticmethod
    def _needs_all(known: Applied | None, its: list[Entry]) -> bool:
        return known is None or bool(known.state.aliases) or not its or its[0][0].order < known.last

    def advanced(self, member: str, its: list[Entry], again: dict[str, list[Filed]]) -> Applied | None:
        """Return a member with new events; None while nothing of theirs could be applied."""
        known = self._known.get(member)
        scopes = set(() if known is None else known.scopes) | ({self._scope} if its else set())
        if known is not None and not self._needs_all(known, its):
            its = [(event, body) for event, body in its if event.seq > known.settled.get(event.chain, 0)]
        else:
            events = again.get(member)
            if events is None:
                events = inbox.of_members(self._tx, [member], self._node, self._epoch, self._upto)[member]
            known, its = None, [(event, _body(event)) for event in events]
        after = self._folded(known, its) if its else None
        return after and self._with_late(dataclasses.replace(after, scopes=tuple(sorted(scopes))))

    def _take_leases(self, before: Applied | None, its: list[Entry]) -> None:
        """Know what a shop's hub has leased to others of its shop: to be recalled and written off like what
        central has, which is in its table already."""
        given = list(reconciling.leased(its))
        if not given or nodes.find(self._tx, self._node) is None:  # central itself takes from what is free
            return
        self._found += reconciling.given_away(before, its)
        for event, lease in given:
            amount = sum(take.amount for take in lease.taken)
            what = (lease.id, event.member or "", lease.node, lease.pool, amount, event.hlc >> 16)
            if leases.find(self._tx, lease.id) is None:
                leases.add(self._tx, Granted(*what))

    def _keep(self, after: Applied | None) -> None:
        if after is not None:
            self._changed[after.state.id] = self._known[after.state.id] = after

    def _tell_heir(self, heir: str) -> None:
        """Bring up to date whom a member with news was merged into, and so on (X4)."""
        passed = set()
        while heir and heir not in passed:
            passed.add(heir)
            if heir not in self._known:
                self._known.update(self._load([heir]))
            after = self.advanced(heir, [], {})
            self._keep(after)
            heir = "" if after is None else after.state.merged_into

    def _with_late(self, applied: Applied) -> Applied:
        """Add what was recorded in the name of aliases by shops that did not know of the merge (X4).

        What a member has once a day or once for ever, and both had, is listed for the owner.
        """
        state, settled, scopes = applied.state, dict(applied.settled), set(applied.scopes)
        last = applied.last
        written = self._load(state.aliases)
        for alias in state.aliases:
            rest = self._changed.get(alias, written.get(alias))
            if rest is None:
                continue
            _, node, epoch, seq = rest.last
            for key, day in merging.had_twice(rest.state, state):
                found = ("HAD_TWICE", node, epoch, seq, f"{key} {day}", applied.state.id, alias)
                self._found.append(Difference(*found))
            state = merging.with_late(state, rest.state)
            scopes |= set(rest.scopes)
            last = max(last, rest.last)
            for chain, seq in rest.settled.items():
                settled[chain] = max(seq, settled.get(chain, 0))
        return Applied(state, last, settled, tuple(sorted(scopes)))

    def _folded(self, known: Applied | None, its: list[Entry]) -> Applied | None:
        state: Member | None = None if known is None else known.state
        settled = {} if known is None else dict(known.settled)
        for event, body in its:
            settled[event.chain] = event.seq
            if body is not None:
                state = fold(state, self._own_credentials(body))
        return None if state is None else Applied(state, its[-1][0].order, settled)

    def _own_credentials(self, body: EventBody) -> EventBody:
        """Return the body without credentials that belong to another member."""
        own = tuple(
            effect
            for effect in body.effects
            if not isinstance(effect, Linked) or self._claims.owner(effect.credential.index) == body.member
        )
        return msgspec.structs.replace(body, effects=own) if len(own) < len(body.effects) else body
