"""A plugin in the style of 2019 runs unchanged, and is told why where the operator forbids what is deprecated."""

from pathlib import Path

from examples import PYLIGHTNING
from pyln.client import RpcError

import pytest

OLDSTYLE = str(Path(__file__).resolve().parent / "plugins" / "oldstyle.py")


def test_a_plugin_of_2019(node_factory, monkeypatch):
    PYLIGHTNING.choose(monkeypatch)
    opts = {"plugin": OLDSTYLE, "allow-deprecated-apis": True}
    l1, l2 = node_factory.line_graph(2, opts=opts)
    l1.daemon.wait_for_log("plugin-oldstyle.py: connect of {} at ipv4".format(l2.info["id"]))
    first = l2.rpc.call("oldstyle-invoice", [24_000, "first"])
    assert l1.rpc.decode(first)["amount_msat"] == 24_000
    l1.rpc.call("oldstyle-pay", [first])
    any_amount = l2.rpc.call("oldstyle-invoice", {"msatoshi": "any", "label": "second"})
    l1.rpc.call("oldstyle-pay", {"bolt11": any_amount, "msatoshi": 5000})
    assert l2.rpc.call("oldstyle-received", ["second"]) == {"satoshi": "5"}
    assert l1.rpc.call("oldstyle-double", ["7sat"]) == {"doubled": "14000msat"}
    l1.rpc.disconnect(l2.info["id"], force=True)
    l1.daemon.wait_for_log("plugin-oldstyle.py: disconnect of {}".format(l2.info["id"]))


def test_a_plugin_of_2019_where_that_is_forbidden(node_factory, monkeypatch):
    PYLIGHTNING.choose(monkeypatch)
    l1 = node_factory.get_node(options={"plugin": OLDSTYLE, "allow-deprecated-apis": False}, allow_warning=True)
    with pytest.raises(RpcError) as refused:
        l1.rpc.call("oldstyle-invoice", [24_000, "first"])
    assert 'jsonrpc: "2.0" must be specified' in refused.value.error["message"]
    # Who speaks the newer way is told what to write instead.
    with pytest.raises(RpcError) as refused:
        l1.rpc.call("invoice", {"msatoshi": 24_000, "label": "first", "description": "first"})
    assert "msatoshi" in refused.value.error["message"]
    assert l1.rpc.listinvoices()["invoices"] == []
