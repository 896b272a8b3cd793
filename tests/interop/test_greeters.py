"""The same scenarios with plugins written in different languages and with different libraries."""

import os
import subprocess

from examples import GREETERS
from pyln.client import RpcError
from pyln.testing.utils import only_one, wait_for

import pytest


@pytest.fixture(params=GREETERS, ids=str)
def greeter(request, monkeypatch):
    if request.param.client:
        request.param.client.choose(monkeypatch)
    return request.param


def lightning_cli(node, *words):
    """What a user sees."""
    command = ["lightning-cli", "--network=regtest", "--lightning-dir=" + node.daemon.lightning_dir, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout.strip().strip('"')


def test_a_greeter_starts_with_the_node(greeter, node_factory):
    """Its option, its method by position and by name, wrong parameters, who comes and goes, and all of it after a restart."""
    l1, l2 = node_factory.get_nodes(2, opts=[{"plugin": greeter.path, "greeting": "Moin"}, {}])
    config = l1.rpc.listconfigs("greeting")["configs"]["greeting"]
    assert config["value_str"] == "Moin"
    assert config["plugin"] == greeter.path
    # pyln-client adds the description.
    assert only_one(l1.rpc.help("hello")["help"])["command"].splitlines()[0].strip() == "hello [name]"

    def greets():
        assert l1.rpc.call("hello") == "Moin world"
        assert l1.rpc.call("hello", ["you"]) == "Moin you"
        assert l1.rpc.call("hello", {"name": 'you, "Ünal"'}) == 'Moin you, "Ünal"'
        assert lightning_cli(l1, "hello", "you") == "Moin you"
        for wrong in (["you", "and", "you"], {"nam": "you"}):
            with pytest.raises(RpcError) as refused:
                l1.rpc.call("hello", wrong)
            assert isinstance(refused.value.error["code"], int)
            assert "no message" not in refused.value.error["message"]

    greets()
    l1.connect(l2)
    l1.daemon.wait_for_log("plugin-{}: connect: {}".format(greeter.name, l2.info["id"]))
    l1.rpc.disconnect(l2.info["id"])
    l1.daemon.wait_for_log("plugin-{}: disconnect: {}".format(greeter.name, l2.info["id"]))
    l1.restart()
    greets()


def test_a_greeter_starts_and_stops_while_the_node_runs(greeter, node_factory):
    l1 = node_factory.get_node()

    def listed():
        return greeter.path in [plugin["name"] for plugin in l1.rpc.plugin_list()["plugins"]]

    if not greeter.dynamic:
        with pytest.raises(RpcError, match="dynamic"):
            l1.rpc.plugin_start(greeter.path)
        wait_for(lambda: not listed())
        return
    l1.rpc.plugin_start(greeter.path, greeting="Ahoi")
    assert l1.rpc.call("hello", ["you"]) == "Ahoi you"
    assert listed()
    l1.rpc.plugin_stop(greeter.name)
    assert not listed()
    with pytest.raises(RpcError, match="Unknown command"):
        l1.rpc.call("hello")
    assert l1.rpc.help()["help"] != []
    l1.rpc.plugin_start(greeter.path)
    assert l1.rpc.call("hello") == "Hello world"


def test_a_greeters_option_is_in_help(greeter, directory):
    told = subprocess.run(
        ["lightningd", "--help", "--network=regtest", "--lightning-dir=" + directory, "--plugin=" + greeter.path],
        env=os.environ, capture_output=True, text=True, timeout=180, check=True,
    )
    assert "--greeting" in told.stdout
    assert "What hello says." in told.stdout
