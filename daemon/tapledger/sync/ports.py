"""What sync asks of a store, in sync's own words."""

from __future__ import annotations

from typing import Protocol

from tapledger.wire.messages import FeedPage, Pending


class SyncStore(Protocol):
    """A node's journal and projections. Every method is one durable transaction."""

    async def pending(self, limit: int) -> Pending | None:
        """Return the next events, at most ``limit``, that central has not acknowledged; None when it has all.

        They are consecutive and of one epoch, with the sealed profiles that they name. ``limit`` >= 1.
        """
        ...

    async def acknowledge(self, epoch: int, seq: int) -> None:
        """Remember that central holds everything of an epoch up to ``seq``."""
        ...

    async def rewind(self, epoch: int, seq: int) -> None:
        """Remember that central has only up to ``seq`` of an epoch and needs everything after it again."""
        ...

    async def cursor(self) -> int:
        """Return the feed version up to which this node knows everything; 0 at first."""
        ...

    async def apply_page(self, page: FeedPage) -> list[str]:
        """Take central's states, fold own unsettled events onto them, move the cursor; return whose changed.

        Raises ``Corrupt`` FEED_GAP when the page does not follow the cursor.
        """
        ...

    async def unsynced(self) -> int:
        """Return how many events central has not acknowledged."""
        ...
