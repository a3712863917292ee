"""What is wrong in a programme: where, and why, as data."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger.loyalty.facts import Reason

Path = tuple[str | int, ...]
"""The way to a place of program.toml: names of keys, numbers of list entries from 0."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake. Its code has a sentence in four languages, as every reason."""

    path: Path
    why: Reason

    @property
    def key(self) -> str:
        """The place as people write it: ``rewards[2].cost_points``."""
        return key(self.path)

    def plain(self) -> str:
        """Return place, code and figures, for those who cannot tell sentences here."""
        figures = ", ".join(f"{name}={value!r}" for name, value in self.why.data.items())
        return f"{self.key}: {self.why.code}" + (f" ({figures})" if figures else "")


def key(path: Path) -> str:
    written = ""
    for part in path:
        written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
    return written or "the programme"
