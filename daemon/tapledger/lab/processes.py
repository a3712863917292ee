"""Processes of the lab: started, announced, restarted when they die, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tapledger.errors import Unavailable

READY_S = 30.0
STOP_S = 5.0
RESTART_S = 0.3
LONGEST_LINE = 64 * 1024


class Child:
    """One process that prints a JSON line when it is ready, and is started again when it dies."""

    def __init__(self, name: str, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self.greeting: dict[str, Any] = {}
        self.starts = 0
        self.on_restart: Callable[[str], None] = lambda name: None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> dict[str, Any]:
        """Start and return what it announced; raise ``Unavailable`` when it ends before that."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        return self.greeting

    async def ready(self) -> None:
        """Wait until it is up (again)."""
        async with asyncio.timeout(READY_S):
            await self._ready.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._ready.clear()
        self._process.kill()

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        # setpriv ends the child when the lab dies, however it dies.
        command = ["setpriv", "--pdeathsig", "KILL", *self._command]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the lab, which stops its children in order
                env={**os.environ, **self._environment},
                limit=LONGEST_LINE,
            )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_S):
                line = await self._process.stdout.readline()
            self.greeting = json.loads(line)
            if "code" in self.greeting:  # a command of ours says so what it was refused for
                with self._log.open("ab") as log:
                    log.write(line)
                raise ValueError(self.greeting["code"])
        except (TimeoutError, ValueError) as error:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            raise Unavailable("LAB_NOT_STARTED", name=self.name, log=str(self._log)) from error
        self.starts += 1
        self._ready.set()

    async def _keep(self) -> None:
        while True:
            assert self._process is not None and self._process.stdout is not None
            while await self._process.stdout.readline():
                pass
            await self._process.wait()
            self._ready.clear()
            self.on_restart(self.name)
            await asyncio.sleep(RESTART_S)
            with contextlib.suppress(Unavailable):
                await self._spawn()
