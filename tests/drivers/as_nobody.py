"""What a driver says to a user who may not open its device."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

DEADLINE_S = 20.0
NOBODY = 65534
_BECOME = f"import os; os.setgroups([]); os.setresgid(*[{NOBODY}] * 3); os.setresuid(*[{NOBODY}] * 3)"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to be refused")


@contextmanager
def forbidden_tty(group: int, mode: int) -> Iterator[str]:
    """Give a terminal to root and a group; return its path."""
    master, slave = os.openpty()
    try:
        os.fchown(slave, 0, group)
        os.fchmod(slave, mode)
        yield os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


async def said_to_nobody(imports: str, call: str, path: str) -> bytes:
    """Run ``call`` in a process of its own as a user without groups; return the error that it raises.

    It imports before it becomes that user, who need not be able to read this checkout.
    """
    program = f"{imports}\n{_BECOME}\ntry: {call}\nexcept Exception as error: print(error)\n"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, path), stdout=subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE_S):
        said, _ = await process.communicate()
    return said
