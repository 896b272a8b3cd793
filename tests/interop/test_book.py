"""Pages of the book that need Python packages are typed, as tests/blackbox/book.rs types the others."""

import os
import subprocess

import pytest

PROGRAM = os.environ["BOOK_COMMANDS"]


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout


PAGES = run().split()


def test_there_are_such_pages():
    assert "docs/book/src/plugins/tutorial.md" in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page(page, monkeypatch):
    environment = os.path.join(os.environ["PYLN_ENVIRONMENT"], "bin")
    monkeypatch.setenv("PATH", environment + os.pathsep + os.environ["PATH"])
    assert f"{page}: " in run(page)
