#!/usr/bin/env python3
"""Runs the tests with the real programs that read flow logs.

They are installed into a virtual environment below `target`, in the versions of `requirements.txt`. The program under test
is `target/debug/flowtruth` (or `$FLOWTRUTH`), built with the feature `s3`: `cargo build --features s3`.
"""

import hashlib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def environment():
    """The interpreter of an environment with what `requirements.txt` names."""
    content = REQUIREMENTS.read_bytes() + sys.version.encode()
    folder = TARGET / f"consumers-{hashlib.sha256(content).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--requirement", REQUIREMENTS]
    subprocess.run(install, check=True)
    (folder / "complete").touch()
    return python


def main():
    program = pathlib.Path(os.environ.get("FLOWTRUTH", TARGET / "debug" / "flowtruth"))
    if not program.exists():
        sys.exit(f"`{program}` is not there; `cargo build --features s3` makes it")
    settings = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings |= {
        "FLOWTRUTH": str(program),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        # nothing is looked for outside of this machine
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    arguments = sys.argv[1:] or ["discover", "--start-directory", str(HERE), "--top-level-directory", str(HERE)]
    command = [environment(), "-m", "unittest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=settings).returncode


if __name__ == "__main__":
    sys.exit(main())
