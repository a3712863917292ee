"""What sync asks of a store, in sync's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tapledger.wire.asking import Tail
from tapledger.wire.messages import FeedPage, Pending


class SyncStore(Protocol):
    """A node's journal and projections. Every method is one transaction, and durable where nothing else is
    said."""

    async def acknowledged(self) -> tuple[int, int]:
        """Return (epoch, seq) up to which central holds everything."""
        ...

    async def pending(
        self, limit: int, max_bytes: int, after: tuple[int, int] | None = None
    ) -> Pending | None:
        """Return the next events, at most ``limit``, that central has not acknowledged; None when it has all.
        With ``after``, those that follow an (epoch, seq).

        They are consecutive and of one epoch, with the sealed profiles that they name, and no larger together
        than ``max_bytes``, unless one alone is. ``limit`` >= 1.
        """
        ...

    async def acknowledge(self, epoch: int, seq: int, hlc: int) -> None:
        """Remember that central holds everything of an epoch up to ``seq``, and the clock it told.

        A power cut may undo it: central is sent the same again then.
        """
        ...

    async def rewind(self, epoch: int, seq: int) -> None:
        """Remember that central has only up to ``seq`` of an epoch and needs everything after it again."""
        ...

    async def send_again(self, held: Mapping[int, int]) -> bool:
        """Let what central has lost be sent again: ``held`` is the last seq that it has of each epoch. Tell
        whether there is such."""
        ...

    async def cursor(self) -> int:
        """Return the feed version up to which this node knows everything; 0 at first."""
        ...

    async def apply_page(self, page: FeedPage) -> list[str]:
        """Take central's states, fold own unsettled events onto them, move the cursor; return whose changed.

        A long page takes several transactions: cut short, it counts as the shorter page that was taken.
        Raises ``Corrupt`` FEED_GAP when the page does not follow the cursor.
        """
        ...

    async def start_over(self) -> None:
        """Forget how far the feed was read: what is here stays in use until everything has come again."""
        ...

    async def unsynced(self) -> int:
        """Return how many events central has not acknowledged."""
        ...

    async def heard(self, hlc: int) -> None:
        """Take over a hybrid clock that was heard: what is recorded from now on is later."""
        ...

    async def erased(self) -> list[str]:
        """Return members who were erased here and of whom central has no receipt."""
        ...

    async def erasure_told(self, members: list[str]) -> None:
        """Remember that central has the receipt."""
        ...

    # Epochs (``sync.placing``).
    async def last_seq(self, epoch: int) -> int:
        """Return the last event of one of this node's chains; 0 when there is none."""
        ...

    async def restore(self, tail: Tail) -> None:
        """Put back events that this disk has lost; raise ``Corrupt`` TAIL_BROKEN when they do not follow what
        is here, or do not give the hash that they should."""
        ...

    async def begin_epoch(self, epoch: int) -> None:
        """Record under this epoch from now on, or go on in a later one that was begun already."""
        ...

    async def stop_spending(self) -> None:
        """Let nothing be spent until ``in_place``, after a restart too: this disk was rolled back."""
        ...

    async def was_rolled_back(self) -> bool:
        """Tell whether ``stop_spending`` holds."""
        ...

    async def in_place(self) -> None:
        """Central and this disk agree about what was recorded here."""
        ...
