"""Threads: the interpreter goes on meanwhile, and a reader that is dropped ends its conversion."""

import gc
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

import flowtruth


def conversions():
    """How many threads of conversions run in this process: each has the name of the one that started it."""
    names = [path.read_text().strip() for path in pathlib.Path("/proc/self/task").glob("*/comm")]
    return names.count("flowtruth")


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


needs_proc = pytest.mark.skipif(not pathlib.Path("/proc/self/task").exists(), reason="no `/proc`")


@needs_proc
@pytest.mark.parametrize("read", [0, 1])
@pytest.mark.parametrize("function", [flowtruth.flows, flowtruth.partials])
def test_a_reader_that_is_dropped_ends_its_conversion(big, function, read):
    wait_for(lambda: conversions() == 0)
    # a batch a window, so that the conversion is held up by its reader
    reader = function(big, interval=1)
    wait_for(lambda: conversions() > 0)
    for _ in range(read):
        assert reader.read_next_batch().num_rows > 0
    begun = time.monotonic()
    del reader
    gc.collect()
    assert time.monotonic() - begun < 5
    wait_for(lambda: conversions() == 0)


@needs_proc
def test_a_reader_that_is_closed_ends_its_conversion(big):
    wait_for(lambda: conversions() == 0)
    with flowtruth.flows(big) as reader:
        reader.read_next_batch()
    del reader
    gc.collect()
    wait_for(lambda: conversions() == 0)


def test_a_dropped_reader_on_a_pipe_does_not_hang(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = flowtruth.flows(pipe)
    begun = time.monotonic()
    del reader
    gc.collect()
    assert time.monotonic() - begun < 5
    # lets the thread end that waits for somebody to write
    def opened():
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
            return True
        except OSError:
            # the thread has not come to it
            return False

    wait_for(opened)


def test_a_pipe_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    capture = pathlib.Path("fixtures/captures/seed.pcap").read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(capture,))
    reader = flowtruth.flows(pipe)
    writer.start()
    assert reader.read_all().num_rows == 1
    writer.join()


def test_other_threads_go_on_while_a_batch_is_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = flowtruth.flows(pipe)
    rows = []
    waiting = threading.Thread(target=lambda: rows.append(reader.read_all().num_rows))
    waiting.start()
    # nothing was written yet: the other thread waits, and this one counts
    end, count = time.monotonic() + 0.3, 0
    while time.monotonic() < end:
        count += 1
    assert count > 10_000
    assert waiting.is_alive()
    pipe.write_bytes(pathlib.Path("fixtures/captures/seed.pcap").read_bytes())
    waiting.join(20)
    assert rows == [1]


@pytest.mark.parametrize("verb", ["ledger", "diff"])
def test_other_threads_go_on_while_a_document_is_made(big, verb):
    done = []

    def run():
        if verb == "ledger":
            done.append(flowtruth.ledger(big, threads=1)["total"]["packets_read"])
        else:
            done.append(flowtruth.diff(big, big, threads=1)["verdict"])

    at = []
    working = threading.Thread(target=run)
    working.start()
    while working.is_alive():
        at.append(time.monotonic())
        time.sleep(0.001)
    working.join()
    assert done == [300_000 if verb == "ledger" else "same"]
    # never held up for the most part of the work
    longest = max(later - sooner for sooner, later in zip(at, at[1:]))
    assert len(at) > 20 and longest < 0.5 * (at[-1] - at[0])


def test_readers_side_by_side_give_what_each_gives_alone(big):
    expected = flowtruth.flows(big, interval=60).read_all()
    found = [None] * 4

    def read(number):
        found[number] = flowtruth.flows(big, interval=60).read_all()

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(table.equals(expected) for table in found)


def test_an_interruption_is_heard_while_a_batch_is_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = f"import flowtruth; print('waiting', flush=True); flowtruth.flows({str(pipe)!r}).read_all()"
    child = subprocess.Popen([sys.executable, "-P", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"waiting\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
