"""A SOCKS5 proxy and a Tor that others wrote. Where they are not installed the tests are skipped: `run` installs them where it may."""

import shutil
import socket
import subprocess

from ephemeral_port_reserve import reserve
from pyln.client import RpcError
from pyln.testing.utils import TIMEOUT, wait_for

import pytest

# What Core Lightning's own tests expect of this text.
BLOB = "11234567890123456789012345678901"
BLOB_NAME = "x2y4zvh4fn5q3eouuh7nxnc7zeawrqoutljrup2xjtiyxgx3emgkemad.onion"
PASSWORD = 'open "sesame" \\o/'


def program(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        pytest.skip("there is no {0}, so nothing is tried with it: install the package {0}".format(name))
    return path


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Running:
    """A program that listens."""

    def __init__(self, command, port, log):
        self.log = log
        self.port = port
        with open(log, "a") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        wait_for(lambda: self.process.poll() is not None or listens(port))
        assert self.process.poll() is None, self.said()

    def said(self):
        with open(self.log) as log:
            return log.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT)


@pytest.fixture
def proxy(tmp_path):
    port = reserve()
    command = [program("microsocks"), "-i", "127.0.0.1", "-p", str(port)]
    running = Running(command, port, tmp_path / "proxy.log")
    yield running
    running.stop()


def test_a_channel_through_a_proxy(node_factory, proxy):
    """Everything that l1 sends to l2 goes through the proxy, and after a restart again."""
    options = {"proxy": "127.0.0.1:{}".format(proxy.port), "always-use-proxy": True}
    l1 = node_factory.get_node(options=options, may_reconnect=True)
    l2 = node_factory.get_node(may_reconnect=True)
    l1.rpc.connect(l2.info["id"], "127.0.0.1", l2.port)
    there = "connected to 127.0.0.1:{}".format(l2.port)
    wait_for(lambda: there in proxy.said())
    l1.fundchannel(l2, 10**6)
    l1.pay(l2, 10**7)
    before = proxy.said().count(there)
    l1.restart()
    wait_for(lambda: proxy.said().count(there) > before)
    wait_for(lambda: l1.rpc.listpeers(l2.info["id"])["peers"][0]["connected"])
    # A name is looked up by the proxy.
    l1.rpc.disconnect(l2.info["id"], force=True)
    l1.rpc.connect(l2.info["id"], "localhost", l2.port)


def test_a_proxy_tells_why_it_cannot(node_factory, proxy):
    l1 = node_factory.get_node(options={"proxy": "127.0.0.1:{}".format(proxy.port), "always-use-proxy": True})
    nobody = "02c3f6c70fa61f5032f9ac5ec28185cf233d62cd99d71fdf364a899d623313e42e"
    with pytest.raises(RpcError, match="proxy: connection refused"):
        l1.rpc.connect(nobody, "127.0.0.1", reserve())


class Tor:
    """A Tor without a network: it has a control port and makes services that nobody can reach."""

    def __init__(self, directory):
        self.program = program("tor")
        self.directory = directory
        (directory / "data").mkdir(mode=0o700)
        hashed = subprocess.run(
            [self.program, "--hash-password", PASSWORD], capture_output=True, text=True, check=True
        ).stdout.splitlines()[-1]
        self.control = reserve()
        lines = [
            "DisableNetwork 1",
            "DataDirectory {}".format(directory / "data"),
            "ControlPort 127.0.0.1:{}".format(self.control),
            "SocksPort 0",
            "HashedControlPassword {}".format(hashed),
            "CookieAuthentication 1",
        ]
        (directory / "torrc").write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        command = [self.program, "-f", str(self.directory / "torrc")]
        self.running = Running(command, self.control, self.directory / "tor.log")


@pytest.fixture
def tor(tmp_path):
    tor = Tor(tmp_path)
    yield tor
    tor.running.stop()


def onion(node):
    return [(at["address"], at["port"]) for at in node.rpc.getinfo()["address"] if at["type"] == "torv3"]


def test_onion_services(node_factory, tor):
    """With a password or a cookie, of each kind, and while Tor restarts."""
    place = "127.0.0.1:{}".format(tor.control)
    password = {"tor-service-password": PASSWORD}
    l1 = node_factory.get_node(options={"announce-addr": "statictor:{}/torblob={}".format(place, BLOB), **password})
    assert onion(l1) == [(BLOB_NAME, 19846)]
    l2 = node_factory.get_node(options={"announce-addr": "statictor:{}/torport=80".format(place)})
    (own,) = onion(l2)
    assert own[1] == 80
    l2.restart()
    assert onion(l2) == [own]
    l3 = node_factory.get_node(options={"announce-addr": "autotor:{}".format(place), **password})
    (first,) = onion(l3)
    assert not l3.daemon.is_in_log("sesame")

    tor.running.stop()
    for node in (l1, l2, l3):
        node.daemon.wait_for_log("Tor closed its control connection")
    tor.start()
    for node in (l1, l2, l3):
        node.daemon.wait_for_log("Tor is back")
    assert onion(l3) == [first]
    l3.restart()
    assert onion(l3) != [first]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"tor-service-password": "abracadabra"}, "Tor refuses the password"),
        ({"announce-addr": "autotor:127.0.0.1:1"}, "is Tor running"),
    ],
)
def test_what_tor_refuses_is_told(node_factory, tor, options, says):
    place = options.get("announce-addr", "autotor:127.0.0.1:{control}")
    options = {**options, "announce-addr": place.format(control=tor.control)}
    node = node_factory.get_node(options=options, may_fail=True, expect_fail=True, start=False)
    node.daemon.start(wait_for_initialized=False, stderr_redir=True)
    assert node.daemon.wait() == 1
    assert node.daemon.is_in_stderr(says)
    assert not node.daemon.is_in_stderr("abracadabra")
