"""The examples of the pages, run."""

import doctest
import re
from importlib import metadata

import pytest
from conftest import ROOT
from packaging.requirements import Requirement

import flowtruth

PAGE = (ROOT / "docs/python.md").read_text()
FLAGS = doctest.ELLIPSIS


def run(name, text, names):
    test = doctest.DocTestParser().get_doctest(text, names, name, name, 0)
    said = []
    result = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=said.append, clear_globs=False)
    assert result.failed == 0, "".join(said)
    names.update(test.globs)
    return result.attempted


def test_the_page_is_true():
    blocks = re.findall(r"^```pycon\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names = {}
    attempted = sum(run(f"docs/python.md, block {number}", block, names) for number, block in enumerate(blocks, 1))
    assert attempted > 20


def test_the_module_is_as_it_says():
    assert run("flowtruth", flowtruth.__doc__, {}) == 3


@pytest.mark.parametrize("name", flowtruth.__all__)
def test_the_page_names_everything(name):
    assert f"`{name}" in PAGE
    assert getattr(flowtruth, name).__doc__


def brought(package: str, extra: str) -> dict[str, set[str]]:
    """What an extra of a package brings, with the extras of each."""
    needed = [Requirement(text) for text in metadata.requires(package) or []]
    return {each.name: each.extras for each in needed if each.marker and each.marker.evaluate({"extra": extra})}


def test_the_extra_for_spark_brings_pandas_without_which_spark_moves_no_batch():
    extras = brought("flowtruth", "spark")["pyspark"]
    assert any("pandas" in brought("pyspark", extra) for extra in extras)
