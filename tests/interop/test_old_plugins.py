"""Plugins as they were written in 2019, with pylightning 0.0.7.3, unchanged."""

import os
import stat

from pyln.testing.utils import wait_for

OLD = '''from lightning import Millisatoshi, Plugin

plugin = Plugin()
seen = []


@plugin.init()
def init(options, configuration, plugin):
    plugin.log("greeting is {}".format(plugin.get_option("greeting")))


@plugin.subscribe("connect")
def on_connect(plugin, id, address):
    seen.append(["connect", id])


@plugin.subscribe("disconnect")
def on_disconnect(plugin, id):
    seen.append(["disconnect", id])


@plugin.subscribe("invoice_payment")
def on_paid(plugin, invoice_payment):
    seen.append(["paid", str(Millisatoshi(invoice_payment["msat"]))])


@plugin.hook("htlc_accepted")
def on_htlc(onion, htlc, plugin):
    seen.append(["htlc", htlc["amount"]])
    return {"result": "continue"}


@plugin.method("seen")
def show(plugin):
    """What was seen."""
    return {"seen": seen}


@plugin.method("sell")
def sell(plugin, what, msatoshi: Millisatoshi):
    """An invoice for {what}."""
    invoice = plugin.rpc.invoice(msatoshi.millisatoshis, what, "one " + what)
    entry = plugin.rpc.listinvoices(what)["invoices"][0]
    assert isinstance(entry["amount_msat"], Millisatoshi)
    return {"bolt11": invoice["bolt11"], "msatoshi": entry["msatoshi"], "sat": entry["amount_msat"].to_satoshi_str()}


@plugin.method("buy")
def buy(plugin, bolt11):
    """Pays."""
    paid = plugin.rpc.pay(bolt11)
    return {"msatoshi": paid["msatoshi"], "amount_msat": paid["amount_msat"]}


@plugin.method("fail")
def fail(plugin):
    """Fails."""
    raise ValueError("as it should")


plugin.add_option("greeting", "Hello", "The greeting I should use.")
plugin.run()
'''


def test_a_plugin_of_2019_works_unchanged(node_factory, directory):
    path = os.path.join(directory, "old.py")
    with open(path, "w") as f:
        f.write("#!{}/bin/python\n".format(os.environ["PYLIGHTNING_ENVIRONMENT"]) + OLD)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    opts = {"plugin": path, "greeting": "Moin", "allow-deprecated-apis": True}
    l1, l2 = node_factory.line_graph(2, fundchannel=True, wait_for_announce=True, opts=opts)
    assert l1.daemon.is_in_log("plugin-old.py: greeting is Moin")
    sold = l2.rpc.call("sell", {"what": "hat", "msatoshi": "24000msat"})
    assert (sold["msatoshi"], sold["sat"]) == (24000, "24sat")
    paid = l1.rpc.call("buy", [sold["bolt11"]])
    assert paid["msatoshi"] == 24000
    l1.rpc.disconnect(l2.info["id"], force=True)

    def seen(node):
        return node.rpc.call("seen")["seen"]

    for event in (
        ["connect", l1.info["id"]],
        ["htlc", "24000msat"],
        ["paid", "24000msat"],
        ["disconnect", l1.info["id"]],
    ):
        wait_for(lambda: event in seen(l2))
    try:
        l1.rpc.call("fail")
        raise AssertionError("it should have failed")
    except Exception as error:
        assert "as it should" in str(error)
    # Nothing that the library could not bind to the arguments of a function.
    assert not l2.daemon.is_in_log("Traceback")
