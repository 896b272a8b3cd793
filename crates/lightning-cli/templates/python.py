#!/usr/bin/env python3
"""@NAME@.py: a lightning plugin.

    pip install pyln-client
    lightning-cli plugin start $PWD/@NAME@.py
    lightning-cli @NAME@-hello you

Standard output belongs to lightningd: use plugin.log, or print to sys.stderr.
"""

from pyln.client import Plugin

plugin = Plugin()

plugin.add_option("@NAME@-greeting", "Hello", "What @NAME@-hello says.")


@plugin.init()
def init(options, configuration, plugin):
    # plugin.rpc calls the node from here on: plugin.rpc.getinfo() and all other methods.
    plugin.log("ready in {}".format(configuration["lightning-dir"]))


@plugin.method("@NAME@-hello")
def hello(plugin, name="world"):
    """Says hello to {name}."""
    return {"text": "{} {}".format(plugin.get_option("@NAME@-greeting"), name)}


# A hook: lightningd waits for the answer. {"result": "reject"} would refuse the payment.
@plugin.hook("invoice_payment")
def on_payment(payment, plugin, **kwargs):
    plugin.log("paid: {}".format(payment["label"]))
    return {"result": "continue"}


# A notification: nobody waits.
@plugin.subscribe("connect")
def on_connect(connect, plugin, **kwargs):
    plugin.log("connect: {}".format(connect["id"]))


plugin.run()
