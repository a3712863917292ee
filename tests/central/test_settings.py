"""Central's settings and keys: what is not understood, or not safe, is an error that says where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tapledger.errors import Corrupt, Denied, Invalid
from tapledger_central.keys import FILE_NAME, load_or_make
from tapledger_central.settings import CentralSettings, load

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_file_is_good() -> None:
    settings = load(ROOT / "config" / "central.toml")
    assert settings.listen_port == CentralSettings(data_folder=Path()).listen_port == 7400


def test_a_folder_counts_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "central.toml").write_text('data_folder = "data"\n')
    assert load(tmp_path / "central.toml").data_folder == tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ('data_folder = "x"\nlisten_prot = 1\n', "SETTINGS_INVALID", "listen_prot"),
        ('data_folder = "x"\nlisten_port = 70000\n', "SETTINGS_INVALID", "listen_port"),
        ('data_folder = "x"\nlisten_host = "0.0.0.0"\n', "SETTINGS_INVALID", "listen_host"),
        ('data_folder = "x"\nlisten_host = "central"\n', "SETTINGS_INVALID", "listen_host"),
        ('data_folder = "x"\norigins = ["https://a.example/path"]\n', "SETTINGS_INVALID", "origins.0"),
        ('data_folder = "x"\norigins = ["a.example"]\n', "SETTINGS_INVALID", "origins.0"),
        ("data_folder = \n", "SETTINGS_UNREADABLE", None),
        ("listen_port = 1\n", "SETTINGS_INVALID", "data_folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, code: str, where: str | None) -> None:
    path = tmp_path / "central.toml"
    path.write_text(text)
    with pytest.raises(Invalid) as refused:
        load(path)
    assert refused.value.code == code
    assert refused.value.data.get("where") == where


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="SETTINGS_UNREADABLE"):
        load(tmp_path / "central.toml")


def test_keys_are_made_once_and_differ_from_each_other(tmp_path: Path) -> None:
    keys = load_or_make(tmp_path, os.urandom)
    assert load_or_make(tmp_path, os.urandom) == keys
    secrets = [keys.signing_seed, *keys.token_seeds.values()]
    secrets += [keys.index_key, keys.profile_key, keys.enrolment_key]
    assert len(set(secrets)) == len(secrets)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_keys_that_others_may_read_are_not_used(tmp_path: Path) -> None:
    load_or_make(tmp_path, os.urandom)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(Denied, match="KEY_FILE_EXPOSED"):
        load_or_make(tmp_path, os.urandom)


@pytest.mark.parametrize("content", [b"{}", b"nonsense", b"\xff", b'{"tenant": 1}', b"[" * 60_000])
def test_damaged_keys_are_said_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(Corrupt, match="KEY_FILE_UNREADABLE"):
        load_or_make(tmp_path, os.urandom)
    assert path.read_bytes() == content
