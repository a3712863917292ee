"""What a process did to the files of one folder, read from strace's log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

TRACED = (
    "openat,creat,open,pwrite64,pwritev,pwritev2,write,writev,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "sync_file_range,unlink,unlinkat,rename,renameat,renameat2,link,linkat,mmap,msync,copy_file_range,sendfile,"
    "io_uring_setup"
)
LONGEST_WRITE = 1 << 20
OPTIONS = ("-f", "-y", "-xx", "-s", str(LONGEST_WRITE), "--seccomp-bpf", "-e", f"trace={TRACED}")

ACK_TO = 1
"""The descriptor on which writers say what they would have told somebody: a folder's name first."""
FORGOTTEN = ("-shm",)
"""Ends of names whose content nobody relies on: SQLite makes its index of the log anew."""


@dataclass(frozen=True, slots=True)
class Created:
    name: str


@dataclass(frozen=True, slots=True)
class Linked:
    name: str
    other: str


@dataclass(frozen=True, slots=True)
class Renamed:
    name: str
    other: str


@dataclass(frozen=True, slots=True)
class Removed:
    name: str


@dataclass(frozen=True, slots=True)
class Written:
    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    name: str
    length: int


@dataclass(frozen=True, slots=True)
class Synced:
    name: str


@dataclass(frozen=True, slots=True)
class FolderSynced:
    pass


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody was told that something is done: from here on it must outlive everything."""

    text: str


Step: TypeAlias = (
    Created | Linked | Renamed | Removed | Written | Truncated | Synced | FolderSynced | Told
)  # fmt: skip

_HARMLESS = {"openat", "open", "mmap"}


def read(log: Path, folder: Path) -> dict[str, list[Step]]:
    """Return what was done in each folder of a folder; fail at a call whose effect is not modelled."""
    reader = _Reader(str(folder))
    with log.open(encoding="ascii") as lines:
        for line in _whole(lines):
            reader.read(line)
    return reader.steps


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Yield each call once, at its end: another thread's lines may have come in between."""
    begun: dict[str, str] = {}
    for line in lines:
        thread, _, rest = line.partition(" ")
        if rest.endswith("<unfinished ...>\n"):
            begun[thread] = rest.removesuffix("<unfinished ...>\n").rstrip()
        elif rest.lstrip().startswith("<... "):
            yield f"{thread} {begun.pop(thread)}{rest.partition(' resumed>')[2]}"
        else:
            yield line


class _Reader:
    def __init__(self, folder: str) -> None:
        self.steps: defaultdict[str, list[Step]] = defaultdict(list)
        self._folder = folder
        self._ends: dict[str, int] = {}
        """Where the next byte goes that is written to a file without a place."""

    def read(self, line: str) -> None:
        left, _, returned = line.rpartition("= ")
        call, opened, arguments = left.rstrip().removesuffix(")").partition("(")
        if not opened or returned.startswith(("-", "?")):
            return
        call, texts = call.split()[-1], arguments.split('"')[1::2]
        descriptor, pointed, rest = arguments.partition("<")
        if call == "write" and descriptor == str(ACK_TO):
            whose, _, text = _bytes(texts[0]).decode().strip().partition(" ")
            self.steps[whose].append(Told(text))
            return
        is_open = pointed and descriptor.isdigit()
        paths = [_bytes(text).decode() for text in ([rest.partition(">")[0]] if is_open else texts)]
        if not paths:
            return
        parent, _, name = paths[0].rpartition("/")
        above, _, whose = parent.rpartition("/")
        if parent == self._folder and call in {"fsync", "fdatasync"}:
            self.steps[name].append(FolderSynced())
        elif above == self._folder and not name.endswith(FORGOTTEN):
            data = _bytes(texts[0]) if texts else b""
            assert call not in {"write", "pwrite64"} or len(data) == int(returned), "strace cut a write short"
            step = self._step(call, paths, arguments, data)
            if step is not None:
                self.steps[whose].append(step)

    def _step(self, call: str, paths: list[str], arguments: str, data: bytes) -> Step | None:
        path, names = paths[0], [path.rpartition("/")[2] for path in paths]
        match call:
            case "openat" | "open" if "O_CREAT" in arguments and path not in self._ends:
                self._ends[path] = 0
                return Created(names[0])
            case "pwrite64":
                return Written(names[0], int(arguments.rsplit(",", 1)[1]), data)
            case "write":
                self._ends[path] += len(data)
                return Written(names[0], self._ends[path] - len(data), data)
            case "ftruncate":
                return Truncated(names[0], int(arguments.rsplit(",", 1)[1]))
            case "fsync" | "fdatasync":
                return Synced(names[0])
            case "unlink" | "unlinkat":
                del self._ends[path]
                return Removed(names[0])
            case "link" | "linkat":
                self._ends[paths[1]] = self._ends[path]
                return Linked(*names)
            case "rename" | "renameat" | "renameat2":
                self._ends[paths[1]] = self._ends.pop(path)
                return Renamed(*names)
        is_shared = "PROT_WRITE" in arguments and "MAP_SHARED" in arguments
        assert call in _HARMLESS and not is_shared and "O_TRUNC" not in arguments, (
            f"not modelled: {call} {names}"
        )
        return None


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))
