"""Lets the fixtures of pyln-testing know how a test ended: only then do they keep the directory of one that failed."""

import pytest

from pyln.testing.fixtures import *  # noqa: F401,F403


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, "rep_" + report.when, report)
