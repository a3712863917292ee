"""Run the steps of a set-up: one line each with its seconds, the noise in a log, silent if all is there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".prepared"
LOCK_WAIT_S = 900
LOG_LINES_SHOWN = 30
NOT_HASHED = {"node_modules", "dist", "test-output", "__pycache__"}


class StepFailed(Exception):
    """A step did not work; the sentence says what to do next, the log says why."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.log = log

    def log_tail(self) -> str:
        if self.log is None or not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN:])


@dataclass
class StepReport:
    """What became of one step: ``done``, ``current`` (nothing to do) or ``skipped`` with a sentence."""

    name: str
    state: str
    seconds: float = 0.0
    sentence: str = ""


@dataclass
class Progress:
    """Tells the person in front of the terminal what goes on, and collects it for ``--json``.

    It speaks on stderr: stdout belongs to what runs afterwards, such as the JSON of `make smoke`.
    """

    quiet: bool = False
    reports: list[StepReport] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[StepReport]:
        """Show ``name`` while the block runs, then its seconds; the block may set the report's fields."""
        report = StepReport(name, "done")
        self.reports.append(report)
        started = time.monotonic()
        self._write(f"  {name} … ")
        try:
            yield report
        except BaseException:
            report.state = "failed"
            self._write("failed\n")
            raise
        report.seconds = round(time.monotonic() - started, 2)
        if report.state == "done":
            self._write(f"{report.seconds:.1f} s\n")
        else:
            self._write("skipped\n")
        self._explain(report)

    def current(self, name: str, sentence: str = "") -> None:
        """Note a step with nothing to do; a sentence (what is still missing) is shown every time."""
        report = StepReport(name, "skipped" if sentence else "current", sentence=sentence)
        self.reports.append(report)
        self._explain(report)

    def as_json(self, failure: str = "") -> str:
        return json.dumps(
            {"ok": not failure, "failure": failure, "steps": [asdict(report) for report in self.reports]},
            ensure_ascii=False,
        )

    def _explain(self, report: StepReport) -> None:
        if report.sentence:
            self._write(f"  ! {report.sentence}\n")

    def _write(self, text: str) -> None:
        if not self.quiet:
            sys.stderr.write(text)
            sys.stderr.flush()


def run(
    command: Sequence[str | Path],
    *,
    log: str,
    timeout_s: float,
    failure: str,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> None:
    """Run ``command`` with its output in ``.prepared/LOG.log``; raise StepFailed(``failure``) if it fails."""
    STATE.mkdir(exist_ok=True)
    path = STATE / f"{log}.log"
    words = [str(word) for word in command]
    with path.open("a") as output:
        output.write(f"$ {' '.join(words)}\n")
        output.flush()
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise StepFailed(f"{failure} ({words[0]}: {error.strerror})", path) from error
        try:
            code = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise StepFailed(f"{failure} (no end after {timeout_s:.0f} s)", path) from error
        except BaseException:
            _end(process)
            raise
    if code != 0:
        raise StepFailed(failure, path)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and all it started: it leads a session of its own."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def fresh_log(log: str) -> None:
    (STATE / f"{log}.log").unlink(missing_ok=True)


def fingerprint(paths: Iterable[Path], *facts: object) -> str:
    """Hash the contents of files and folders, and plain facts: equal means nothing is to do."""
    digest = hashlib.sha256(repr(facts).encode())
    for path in paths:
        for file in _files(path):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            if child.name not in NOT_HASHED:
                yield from _files(child)


class Stamp:
    """Remembers the fingerprint with which a step last worked, and what it had to leave out."""

    def __init__(self, name: str) -> None:
        self._path = STATE / f"{name}.stamp"

    def matches(self, key: str) -> bool:
        return self._read().get("key") == key

    @property
    def sentence(self) -> str:
        return self._read().get("sentence", "")

    def write(self, key: str, sentence: str = "") -> None:
        STATE.mkdir(exist_ok=True)
        self._path.write_text(json.dumps({"key": key, "sentence": sentence}))

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        try:
            content: dict[str, str] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return content


@contextmanager
def alone() -> Iterator[None]:
    """Hold the one set-up lock of this tree, so that two `make` side by side do not build the same thing."""
    STATE.mkdir(exist_ok=True)
    deadline = time.monotonic() + LOCK_WAIT_S
    with (STATE / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StepFailed(
                        "Another set-up of this folder does not end; stop it and try again."
                    ) from None
                time.sleep(0.2)
        yield
