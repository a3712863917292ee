"""What at its limit is right all the same, by the name of the field: everything else must be refused."""

from __future__ import annotations

WORDS = frozenset({"empty", "unknown", "nul"})
"""Free text that the faces choose; it is kept and looked up nowhere."""
ANY = WORDS | {"over-long", "half"}
"""Text that is not kept: nothing is found by it, or the ledger has no place for it."""
NOT = frozenset({"not"})

ACCEPTED: dict[str, frozenset[str]] = {
    # Who did it, where, on what and why: kept as it was said.
    "evidence": ANY,  # kept where the trust level counts
    **dict.fromkeys(("staff", "till", "reason", "source", "place", "theirs", "channel"), WORDS),
    "second": WORDS | {"over-long"},  # of staff: one who is not known counts as nobody
    "means": WORDS | {"over-long", "none", "too many", "twice"},
    "why": WORDS,
    "what": frozenset({"unknown", "nul"}),
    "waiver": frozenset({"unknown", "nul"}),
    "text_version": frozenset({"unknown", "nul"}),
    "seen": frozenset({"unknown", "nul"}),
    "id": WORDS,
    "client_seed": frozenset({"empty", "unknown", "nul"}),
    # Any key is a key.
    "key": frozenset({"unknown", "nul", "half", "empty"}),
    # A slip in a language that nobody speaks here is printed in the shop's.
    "language": ANY,
    # Names of the shop's own articles: the till takes them from the catalogue.
    **dict.fromkeys(("sku", "name", "category"), WORDS),
    # A session that knows its member does not read the card again.
    "kind": ANY,
    "value": ANY,
    "level": frozenset({"zero"}),
    "card": frozenset({"unknown", "nul", "over-long", "half"}),
    "member": WORDS | {"over-long"},  # of a scan: nobody's basket
    "moment": ANY,  # at which nothing is due
    # A sale that has no such thing, or twice the same article.
    "lines": frozenset({"twice"}),
    "bottles": frozenset({"twice"}),
    "tenders": frozenset({"twice"}),
    "shares": frozenset({"none"}),
    "codes": frozenset({"none"}),
    "papers": frozenset({"none"}),
    "scanned": frozenset({"none", "twice"}),
    "coupons": WORDS | {"over-long", "none", "twice", "too many"},
    "sale": WORDS | {"over-long"},  # that holds a coupon: it will be made by the till
    "receipts": frozenset({"none"}),
    "credentials": frozenset({"none", "twice"}),
    "chosen": frozenset({"none", "unknown", "nul", "twice", "too many"}),
    "phone": frozenset({"empty"}),
    # Numbers.
    "unit_minor": frozenset({"zero"}),  # a gift
    "tax_bp": frozenset({"zero"}),
    "limit_minor": frozenset({"zero"}),  # a card that may only earn
    "points": frozenset({"zero", "negative", "2^63"}),  # as many as there are; by hand some are taken
    "amount_minor": frozenset({"zero"}),
    "paying_minor": frozenset({"zero", "negative", "2^63"}),  # looked at by a shop whose door has a price
    # Yes and no.
    **dict.fromkeys(
        ("approved", "at_kiosk", "early_access_approved", "earns", "granted"), frozenset({"not"})
    ),
    **dict.fromkeys(
        ("late_approved", "looked_at", "shop_fault", "stepped_up", "weighed"), frozenset({"not"})
    ),
}
