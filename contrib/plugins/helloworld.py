#!/usr/bin/env python3
"""A first plugin: it greets, and notes who comes and goes.

    lightning-cli plugin start $PWD/helloworld.py greeting=Moin
    lightning-cli hello you

Copy it and make it your own.
"""

try:
    from pyln.client import Plugin  # pip install pyln-client
except ImportError:
    from lightning import Plugin  # pip install pylightning: its predecessor will do as well

plugin = Plugin()


@plugin.method("hello")
def hello(plugin, name="world"):
    """Greets {name}."""
    text = "{} {}".format(plugin.get_option("greeting"), name)
    plugin.log(text)
    return text


@plugin.init()
def init(options, configuration, plugin):
    plugin.log("helloworld.py is ready in " + configuration["lightning-dir"])


# What happened is in a member named like the topic; before that was so, it was the parameters themselves.
@plugin.subscribe("connect")
def on_connect(plugin, **params):
    peer = params.get("connect", params)
    plugin.log("connect: {}".format(peer["id"]))


@plugin.subscribe("disconnect")
def on_disconnect(plugin, **params):
    peer = params.get("disconnect", params)
    plugin.log("disconnect: {}".format(peer["id"]))


plugin.add_option("greeting", "Hello", "What hello says.")
plugin.run()
