"""Flashing: the program that is called, and what is said when it or the board is missing."""

import pytest

from boards import BOARDS
from boards.flashing import BoardMissing, flash
from boards.toolchain import ToolError, ToolMissing
from tests.scripts import script


def test_the_bitstream_is_given_to_iceprog(monkeypatch, tmp_path):
    monkeypatch.setenv("ICEPROG", script(tmp_path / "iceprog", 'cp "$1" flashed'))
    (tmp_path / "design.bin").write_bytes(b"bits")
    flash(tmp_path / "design.bin", BOARDS["icebreaker"])
    assert (tmp_path / "flashed").read_bytes() == b"bits"


def test_the_bitstream_is_given_to_openfpgaloader(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENFPGALOADER", script(tmp_path / "loader", 'echo "$@" > called'))
    flash(tmp_path / "design.bit", BOARDS["colorlight_5a75b"])
    called = (tmp_path / "called").read_text().split()
    assert called == ["--cable", "ft232", "--write-flash", "--unprotect-flash", "--verify", "design.bit"]


def test_a_missing_board_is_named_by_openfpgaloader(monkeypatch, tmp_path):
    complaint = "unable to open ftdi device: -3 (device not found)"
    monkeypatch.setenv("OPENFPGALOADER", script(tmp_path / "loader", f'echo "{complaint}"; exit 1'))
    with pytest.raises(BoardMissing, match="^no board is connected, or it may not be opened: .*device not found"):
        flash(tmp_path / "design.bit", BOARDS["colorlight_5a75b"])


def test_a_missing_program_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("ICEPROG", "no-such-iceprog")
    with pytest.raises(ToolMissing, match="^no-such-iceprog is not installed"):
        flash(tmp_path / "design.bin", BOARDS["icebreaker"])


def test_a_missing_board_is_named(monkeypatch, tmp_path):
    complaint = "Can't find iCE FTDI USB device (vendor_id 0x0403, device_id 0x6010 or 0x6014)."
    monkeypatch.setenv("ICEPROG", script(tmp_path / "iceprog", f'echo init..; echo "{complaint}"; exit 2'))
    with pytest.raises(BoardMissing, match="^no board is connected, or it may not be opened: .*Can't find iCE FTDI"):
        flash(tmp_path / "design.bin", BOARDS["icebreaker"])


def test_another_failure_is_passed_on(monkeypatch, tmp_path):
    monkeypatch.setenv("ICEPROG", script(tmp_path / "iceprog", "echo verify failed; exit 3"))
    with pytest.raises(ToolError, match="^iceprog failed: verify failed$"):
        flash(tmp_path / "design.bin", BOARDS["icebreaker"])
