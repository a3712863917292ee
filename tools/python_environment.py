"""Build the virtual environment: the locked packages, checked by hash, and the product itself, editable."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from progress import ROOT, Progress, Stamp, StepFailed, fingerprint, fresh_log, run
from system_packages import apt_install, root_prefix

VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
UV = BIN / "uv"
NODE_IN_VENV = BIN / "node"

TOOLS_LOCK = ROOT / "requirements-tools.lock"
BASE_LOCK = ROOT / "requirements.lock"
DEVICES_LOCK = ROOT / "requirements-devices.lock"
NODE_LOCK = ROOT / "requirements-ui.lock"

INSTALL_TIMEOUT_S = 1200
OLDEST_PYTHON = (3, 11)
PCSC_HEADERS = (Path("/usr/include/PCSC/winscard.h"), Path("/usr/local/include/PCSC/winscard.h"))
PIP_INSTALL = (PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check")
UV_SETTINGS = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}

NO_DEVICES = (
    "pyscard, nfcpy and evdev are not installed ({why}): no real card readers and no keyboard scanners; the "
    "demo uses simulated readers. "
    "Once libpcsclite-dev, gcc and python3-dev are there, the same command adds them."
)


def build_environment(progress: Progress, *, with_node: bool, devices_required: bool) -> None:
    """Make ``.venv`` hold the locked packages; Node if asked; ``devices_required`` insists on that extra."""
    _create_venv(progress)
    _install_uv(progress)
    _install_locked(progress, with_node=with_node, devices_required=devices_required)
    _install_product(progress)


def _create_venv(progress: Progress) -> None:
    if PYTHON.exists() and (BIN / "pip").exists():
        progress.current("virtual environment")
        return
    if sys.version_info < OLDEST_PYTHON:
        raise StepFailed(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    with progress.step("virtual environment"):
        for name in ("uv", "packages", "product"):
            Stamp(name).remove()
        fresh_log("venv")
        _have_venv_module()
        run(
            [sys.executable, "-m", "venv", "--clear", VENV],
            log="venv",
            timeout_s=INSTALL_TIMEOUT_S,
            failure="The virtual environment could not be made.",
        )


def _have_venv_module() -> None:
    """Debian ships Python without ensurepip; python3-venv brings it."""
    if subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0:
        return
    sentence = "Python cannot make virtual environments here. Run: sudo apt-get install python3-venv"
    become_root = root_prefix()
    if become_root is None:
        raise StepFailed(sentence)
    try:
        apt_install(become_root, ["python3-venv"])
    except StepFailed as failure:
        raise StepFailed(sentence, failure.log) from failure


def _install_uv(progress: Progress) -> None:
    key = fingerprint([TOOLS_LOCK])
    stamp = Stamp("uv")
    if stamp.matches(key) and UV.exists():
        progress.current("uv")
        return
    with progress.step("uv"):
        fresh_log("uv")
        run(
            [*PIP_INSTALL, "--no-deps", "--require-hashes", "-r", TOOLS_LOCK],
            log="uv",
            timeout_s=INSTALL_TIMEOUT_S,
            failure="uv could not be installed; is the package index reachable?",
        )
        stamp.write(key)


def _install_locked(progress: Progress, *, with_node: bool, devices_required: bool) -> None:
    locks = [BASE_LOCK, *([NODE_LOCK] if with_node else [])]
    obstacle = _cards_obstacle()
    key = fingerprint([*locks, DEVICES_LOCK], obstacle)
    stamp = Stamp("packages")
    if stamp.matches(key) and not (devices_required and stamp.sentence):
        progress.current("Python packages", stamp.sentence)
        return
    with progress.step("Python packages") as report:
        fresh_log("packages")
        Stamp("product").remove()
        if obstacle:
            report.sentence = NO_DEVICES.format(why=obstacle)
        else:
            try:
                _sync([*locks, DEVICES_LOCK])
            except StepFailed as failure:
                report.sentence = NO_DEVICES.format(why=f"it could not be built, see {_shown(failure.log)}")
        if report.sentence:
            _sync(locks)
            if devices_required:
                raise StepFailed(report.sentence)
        stamp.write(key, report.sentence)


def _cards_obstacle() -> str:
    if not any(header.exists() for header in PCSC_HEADERS):
        return "the headers of libpcsclite are missing"
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        return "there is no C compiler"
    return ""


def _sync(locks: list[Path]) -> None:
    run(
        [UV, "pip", "sync", "--python", PYTHON, "--require-hashes", *locks],
        log="packages",
        timeout_s=INSTALL_TIMEOUT_S,
        failure="The Python packages could not be installed; is the package index reachable?",
        env=UV_SETTINGS,
    )


def _install_product(progress: Progress) -> None:
    key = fingerprint([ROOT / "pyproject.toml"])
    stamp = Stamp("product")
    if stamp.matches(key) and (BIN / "tapledger").exists():
        progress.current("tapledger, editable")
        return
    with progress.step("tapledger, editable"):
        fresh_log("product")
        run(
            [UV, "pip", "install", "--python", PYTHON, "--no-deps", "--no-build-isolation", "-e", ROOT],
            log="product",
            timeout_s=INSTALL_TIMEOUT_S,
            failure="tapledger itself could not be installed.",
            env=UV_SETTINGS,
        )
        stamp.write(key)


def _shown(path: Path | None) -> str:
    return str(path.relative_to(ROOT)) if path else "the log"
