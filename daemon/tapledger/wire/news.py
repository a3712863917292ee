"""What central tells by the feed beside members: the bodies of the other kinds of row.

A new kind: its struct here, its line in ``KINDS``, its row in docs/sync-protocol.md.
"""

from __future__ import annotations

import datetime as dt

import msgspec

ACTIVE = "active"


class ProgramNews(msgspec.Struct, frozen=True, kw_only=True):
    """The programme from its ``active_from`` on; a shop without it uses its own (X5). Key: ``current``."""

    version: str
    content: bytes
    """What counts: its table with its calendars, as JSON with sorted keys."""
    text: str
    """The file that the owner wrote."""


class CatalogueNews(msgspec.Struct, frozen=True, kw_only=True):
    """The articles, as their CSV text. Key: ``current``."""

    digest: str
    text: str


class NodeNews(msgspec.Struct, frozen=True, kw_only=True):
    """A computer of the chain. Key: the node. One that is not active is not to be believed any more."""

    name: str
    shop: str
    public_key: bytes
    status: str
    """``active``, ``quarantined`` or ``revoked``."""

    def serves(self, shop: str) -> bool:
        """Tell whether it is one of a shop's that is to be believed."""
        return self.status == ACTIVE and self.shop == shop


class DifferenceNews(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was recorded and does not fit, told to the shop that recorded it. Key: its number."""

    code: str
    node: str
    epoch: int
    seq: int
    detail: str
    member: str
    found_ms: int


class CheckpointNews(msgspec.Struct, frozen=True, kw_only=True):
    """A signed checkpoint of central's log. Key: ``log``."""

    text: str


class ExposureNews(msgspec.Struct, frozen=True, kw_only=True):
    """What can be lost at most right now (R6). Key: ``now``."""

    points: int
    nodes_offline: int
    nodes: int
    at: dt.datetime


class AllotmentNews(msgspec.Struct, frozen=True, kw_only=True):
    """How much of its shop's limited stock one computer may give out. Key: that node; it alone hears it."""

    limits: dict[str, int]
    """By key (``reward/ID``, ``prize/LOTTERY/PRIZE``): pieces in all, also those that it gave back."""
    back: dict[str, int] = {}
    """By key: how many it is asked to have given back, in all."""


class DevicesNews(msgspec.Struct, frozen=True, kw_only=True):
    """The devices of one computer, for the roles that its own settings do not name. Key: that node; it alone
    hears it."""

    text: str
    """TOML: the ``[[devices]]`` of docs/settings.md."""


DIFFERENCES = frozenset(
    {
        "EVENT_UNREADABLE",
        "EVENT_MISPLACED",
        "EVENT_UNBALANCED",
        "EVENT_IMPOSSIBLE",
        "EVENT_KIND_UNKNOWN",
        "CREDENTIAL_CLAIMED_TWICE",
        "HAD_TWICE",
        "PROFILE_ALTERED",
        "NODE_CLONED",
        "OVERDRAWN",
        "COUPON_OVERUSED",
        "LEASE_WRITTEN_OFF",
        "STOCK_OVERUSED",
        "STOCK_WRITTEN_OFF",
    }
)
"""Codes of differences; each has its sentence in every language (``difference.CODE``)."""

KINDS: dict[str, type[msgspec.Struct]] = {
    "program": ProgramNews,
    "catalogue": CatalogueNews,
    "node": NodeNews,
    "difference": DifferenceNews,
    "checkpoint": CheckpointNews,
    "exposure": ExposureNews,
    "allotment": AllotmentNews,
    "devices": DevicesNews,
}
