#!/usr/bin/env python3
"""Builds the wheel, installs it into a fresh virtual environment and runs the package's tests.

The wheel is built in the dev profile into the target folder of everything else. What the tests need is installed below it
too, in the versions of `requirements.txt`. The results are held against the program `target/debug/flowtruth` (or
`$FLOWTRUTH`): `cargo build` makes it.
"""

import hashlib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parent
ROOT = PACKAGE.parent
REQUIREMENTS = HERE / "requirements.txt"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
WHEELS = TARGET / "python-wheels"


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, **options)


def tools():
    """The interpreter of an environment with what `requirements.txt` names, and without the package."""
    content = REQUIREMENTS.read_bytes() + sys.version.encode()
    folder = TARGET / f"python-{hashlib.sha256(content).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        run(sys.executable, "-m", "venv", "--clear", folder)
        # of pyspark there is no wheel
        wheels = ["--only-binary", ":all:", "--no-binary", "pyspark"]
        run(python, "-m", "pip", "install", "--quiet", *wheels, "--requirement", REQUIREMENTS)
        (folder / "complete").touch()
    return python


def wheel(python):
    """The package, built."""
    for old in WHEELS.glob("*.whl"):
        old.unlink()
    build = [python, "-m", "maturin", "build", "--locked", "--profile", "dev", "--auditwheel", "skip"]
    run(*build, "--interpreter", python, "--out", WHEELS, cwd=PACKAGE, env=os.environ | {"CARGO_TARGET_DIR": str(TARGET)})
    [built] = WHEELS.glob("*.whl")
    return built


def fresh(python, built):
    """The interpreter of a new environment with the wheel; what it needs is found in the other."""
    folder = TARGET / "python-fresh"
    run(sys.executable, "-m", "venv", "--clear", folder)
    fresh_python = folder / "bin" / "python"
    [packages] = (folder / "lib").glob("python*/site-packages")
    [others] = (python.parent.parent / "lib").glob("python*/site-packages")
    (packages / "tools.pth").write_text(f"{others}\n")
    run(fresh_python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", built)
    return fresh_python


def main():
    program = pathlib.Path(os.environ.get("FLOWTRUTH", TARGET / "debug" / "flowtruth"))
    if not program.exists():
        sys.exit(f"`{program}` is not there; `cargo build` makes it")
    python = tools()
    python = fresh(python, wheel(python))
    settings = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings |= {
        "FLOWTRUTH": str(program),
        # nothing is looked for outside of this machine
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # in a folder from where `import flowtruth` finds no source
    tests = [python, "-P", "-m", "pytest", "-p", "no:cacheprovider", "-q", HERE, *sys.argv[1:]]
    status = subprocess.run([str(word) for word in tests], cwd=ROOT, env=settings).returncode
    types = [python, "-P", "-m", "mypy", "--config-file", PACKAGE / "pyproject.toml", "--cache-dir", TARGET / "mypy"]
    # the package as it was installed
    return status or subprocess.run([str(word) for word in types], cwd=TARGET, env=settings).returncode


if __name__ == "__main__":
    sys.exit(main())
