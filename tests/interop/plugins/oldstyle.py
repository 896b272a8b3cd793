#!/usr/bin/env python3
"""A plugin as they were written in 2019, for pylightning 0.0.7: handlers that take just what connect and disconnect told then, amounts in
msatoshi, Millisatoshi out of texts."""

from lightning import LightningRpc, Millisatoshi, Plugin

plugin = Plugin(autopatch=True)


@plugin.method("oldstyle-invoice")
def make_invoice(plugin, msatoshi, label):
    """Makes an invoice over {msatoshi}, named {label}."""
    return plugin.rpc.invoice(msatoshi=msatoshi, label=label, description="old style")["bolt11"]


@plugin.method("oldstyle-pay")
def pay_invoice(plugin, bolt11, msatoshi=None):
    """Pays {bolt11}, which may leave the amount {msatoshi} to us."""
    assert isinstance(plugin.rpc, LightningRpc)
    paid = plugin.rpc.pay(bolt11, msatoshi=msatoshi)
    return {"preimage": paid["payment_preimage"]}


@plugin.method("oldstyle-double")
def double(plugin, amount: Millisatoshi):
    """Twice {amount}."""
    return {"doubled": amount * 2}


@plugin.method("oldstyle-received")
def received(plugin, label):
    """How many satoshi came for {label}."""
    invoice = plugin.rpc.listinvoices(label)["invoices"][0]
    return {"satoshi": str(invoice["amount_received_msat"].to_satoshi())}


@plugin.subscribe("connect")
def on_connect(plugin, id, address):
    plugin.log("connect of {} at {}".format(id, address["type"]))


@plugin.subscribe("disconnect")
def on_disconnect(plugin, id):
    print("disconnect of {}".format(id))


plugin.run()
