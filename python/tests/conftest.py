"""What the tests share: the program that results are held against, and captures."""

import os
import pathlib
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "fixtures" / "captures"
PROGRAM = os.environ.get("FLOWTRUTH", str(ROOT / "target" / "debug" / "flowtruth"))

#: Every capture that is read to its end, by its path from the root.
WHOLE = sorted(
    str(path.relative_to(ROOT))
    for path in CAPTURES.rglob("*")
    if path.is_file() and "damaged" not in path.parts and ".pcap" in path.name
)


def program(*words, status=0):
    """What the program writes."""
    done = subprocess.run([PROGRAM, *map(str, words)], cwd=ROOT, capture_output=True, timeout=120)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout


def said(*words, status=2):
    """What the program says on standard error: the errors and the hints, without their labels."""
    done = subprocess.run([PROGRAM, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    of = lambda label: [line.removeprefix(label) for line in lines if line.startswith(label)]
    return of("error: "), of("hint: ")


@pytest.fixture(scope="session")
def big(tmp_path_factory):
    """A capture of many flows in many windows, written here: 300 000 packets of UDP, each of a flow of its own."""
    path = tmp_path_factory.mktemp("captures") / "big.pcap"
    packets = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for number in range(300_000):
        source = bytes([10, number >> 16 & 255, number >> 8 & 255, number & 255])
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0) + source + bytes([10, 9, 9, 9])
        frame = bytes(12) + b"\x08\x00" + ip + struct.pack(">HHHH", 1000 + number % 50_000, 53, 8, 0)
        packets += struct.pack("<IIII", 1_700_000_000 + number // 1000, number % 1000, len(frame), len(frame)) + frame
    path.write_bytes(packets)
    return str(path)
