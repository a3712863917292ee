"""Install what only the system can give: the card service, fonts, headers, and Chromium for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from progress import STATE, Progress, StepFailed, fresh_log, run

COSTS = {
    "pcscd": "no card reader works; the demo simulates its readers within the daemon",
    "vsmartcard-vpcd": "the demo simulates its card readers without pcscd",
    "fonts-noto-cjk": "Chinese receipts and screens lack their letters",
    "libpcsclite-dev": "no card readers and no keyboard scanners (pyscard and evdev cannot be built)",
    "gcc": "no card readers and no keyboard scanners (pyscard and evdev cannot be built)",
    "libc6-dev": "no card readers and no keyboard scanners (pyscard and evdev cannot be built)",
    "python3-dev": "no card readers and no keyboard scanners (pyscard and evdev cannot be built)",
    "linux-libc-dev": "no keyboard scanners (evdev cannot be built)",
    "umockdev": "keyboard scanners and USB devices cannot be tested",
    "chromium": "the browser tests and benchmarks cannot run",
    "cage": "the kiosk's screen cannot be tested as it runs in a shop",
    "xwayland": "the kiosk's screen cannot be tested as it runs in a shop",
    "systemd": "the unit file cannot be verified",
    "postgresql": "central cannot be tested on PostgreSQL",
    "patroni": "the death of central's database host cannot be tested",
    "etcd-server": "the death of central's database host cannot be tested",
    "etcd-client": "the death of central's database host cannot be tested",
    "haproxy": "the death of central's database host cannot be tested",
    "strace": "power cuts cannot be tested",
    "libfaketime": "wrong clocks cannot be tested on whole processes",
}
"""What each package's absence costs the person who starts; the keys are Debian's names."""

FOR_RUN = (
    "pcscd",
    "vsmartcard-vpcd",
    "fonts-noto-cjk",
    "libpcsclite-dev",
    "gcc",
    "libc6-dev",
    "linux-libc-dev",
    "python3-dev",
)
FOR_TEST = (
    *FOR_RUN,
    "chromium",
    "cage",
    "xwayland",
    "systemd",
    "umockdev",
    "postgresql",
    "patroni",
    "etcd-server",
    "etcd-client",
    "haproxy",
    "strace",
    "libfaketime",
)

APT_GET = Path(__file__).resolve().parent / "apt_get_without_servers.sh"
"""apt-get, but the servers that only tests use are neither started nor enabled by their installation."""

APT_TIMEOUT_S = 1200
APT_LOCK_WAIT_S = 180
APT_OPTIONS = ("-o", f"DPkg::Lock::Timeout={APT_LOCK_WAIT_S}", "-o", "Dpkg::Use-Pty=0")


def missing_packages(names: tuple[str, ...]) -> list[str]:
    """Name those of ``names`` that dpkg does not have installed; all of them where there is no dpkg."""
    try:
        answer = subprocess.run(
            ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *names],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return list(names)
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def install_missing(progress: Progress, names: tuple[str, ...], *, required: bool) -> None:
    """Install what is missing of ``names``; failing that, say what it costs, or stop if ``required``."""
    missing = missing_packages(names)
    if not missing:
        progress.current("system packages")
        return
    become_root = root_prefix()
    if become_root is None:
        sentence = _cost_sentence(missing)
        if required:
            raise StepFailed(sentence)
        progress.current("system packages", sentence)
        return
    with progress.step(f"system packages: {' '.join(missing)}") as report:
        try:
            apt_install(become_root, missing)
        except StepFailed as failure:
            still_missing = missing_packages(names)
            if required:
                raise StepFailed(_cost_sentence(still_missing), failure.log) from failure
            report.state = "skipped"
            report.sentence = _cost_sentence(still_missing)


def root_prefix() -> list[str] | None:
    """Give the words that make a command root's, or None where that needs a password or is not Debian."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    passwordless = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if passwordless else None


def apt_install(become_root: list[str], names: list[str]) -> None:
    """Install by apt without a question; fetch the lists and try once more if the first try fails."""
    fresh_log("apt")
    install = ["install", "-y", "--no-install-recommends", *names]
    try:
        _apt(become_root, install)
    except StepFailed:
        _apt_when_unlocked(become_root, ["update"])
        _apt(become_root, install)


def _apt(become_root: list[str], words: list[str]) -> None:
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    failure = f"`apt-get {' '.join(words)}` failed."
    run(
        [*become_root, *quiet, "sh", APT_GET, *APT_OPTIONS, *words],
        log="apt",
        timeout_s=APT_TIMEOUT_S,
        failure=failure,
    )


def _apt_when_unlocked(become_root: list[str], words: list[str]) -> None:
    """apt waits for dpkg's lock by itself, but not for the lock of its lists."""
    deadline = time.monotonic() + APT_LOCK_WAIT_S
    while True:
        try:
            return _apt(become_root, words)
        except StepFailed:
            locked = "Could not get lock" in _last_lines(STATE / "apt.log")
            if not locked or time.monotonic() > deadline:
                raise
            time.sleep(2)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])


def _cost_sentence(missing: list[str]) -> str:
    costs = "; ".join(dict.fromkeys(COSTS[name] for name in missing))
    command = f"sudo apt-get install --no-install-recommends {' '.join(missing)}"
    return f"Not installed: {', '.join(missing)}. Until then: {costs}. To install: {command}"
