"""A plugin made with Core Lightning's crates cln-plugin and cln-rpc (tests/interop/cln-plugin), besides what it has in common with the other
greeters."""

import os

import pytest
from pyln.client import RpcError
from pyln.testing.utils import wait_for

pytestmark = pytest.mark.skipif("CLN_PLUGIN" not in os.environ, reason="there is no cargo")


@pytest.fixture
def plugin():
    return os.environ["CLN_PLUGIN"]


def test_it_calls_the_node_with_cln_rpc(node_factory, plugin):
    l1 = node_factory.get_node(options={"plugin": plugin})
    info = l1.rpc.getinfo()
    assert l1.rpc.call("crate-info") == {"id": info["id"], "height": info["blockheight"]}
    bolt11 = l1.rpc.call("crate-invoice", {"label": "by the crate"})["bolt11"]
    listed = l1.rpc.listinvoices("by the crate")["invoices"][0]
    assert (listed["bolt11"], listed["amount_msat"]) == (bolt11, 5000)


def test_it_is_asked_about_payments_and_commands(node_factory, plugin):
    l1, l2 = node_factory.line_graph(2, opts=[{}, {"plugin": plugin, "crate-limit": 10_000}])

    def send(amount, label):
        inv = l2.rpc.invoice(amount, label, label)
        route = [{"id": l2.info["id"], "channel": l1.get_channel_scid(l2), "amount_msat": amount, "delay": 15}]
        l1.rpc.sendpay(route, inv["payment_hash"], payment_secret=inv["payment_secret"])
        return l1.rpc.waitsendpay(inv["payment_hash"])

    assert send(9000, "small")["status"] == "complete"
    with pytest.raises(RpcError, match="WIRE_TEMPORARY_NODE_FAILURE"):
        send(11_000, "large")
    assert l2.rpc.call("crate-asked") == {"asked": 2}
    replaced = l2.rpc.ping(l1.info["id"])
    assert replaced["replaced"] is True


def test_it_hears_its_own_topic(node_factory, plugin):
    l1 = node_factory.get_node()
    l1.rpc.plugin_start(plugin, greeting="Moin")
    assert l1.rpc.call("hello", ["you"]) == "Moin you"
    l1.daemon.wait_for_log('heard {"crate_greeted":{"name":"you"}')
    l1.rpc.plugin_stop(plugin)
    wait_for(lambda: all(p["name"] != plugin for p in l1.rpc.plugin_list()["plugins"]))
