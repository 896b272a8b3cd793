"""Lets the fixtures of pyln-testing know how a test ended: only then do they keep the directory of one that failed."""

import threading

import pytest

from pyln.testing.fixtures import *  # noqa: F401,F403
from pyln.testing.fixtures import network_daemons
from pyln.testing.utils import TIMEOUT, BitcoinD


compiling = threading.Lock()


class AnyBitcoinD(BitcoinD):
    """Takes one space in bitcoind's log where the fixtures look for two: so it writes since version 31."""

    def wait_for_log(self, regex, timeout=TIMEOUT):
        return super().wait_for_log(regex.replace("  ", " +"), timeout)

    def get_proxy(self):
        # It compiles, which Python 3.11 does not survive in two threads at once (gh-106905), and nodes are made in threads.
        with compiling:
            return super().get_proxy()


network_daemons["regtest"] = AnyBitcoinD


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, "rep_" + report.when, report)
