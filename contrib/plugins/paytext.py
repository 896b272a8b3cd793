#!/usr/bin/env python3
"""Sells a text of at most 24 bytes: whoever pays has it, for it is part of the payment's preimage.

    pip install pyln-client flask
    lightning-cli plugin start $PWD/paytext.py paytext-text="The cake is a lie" paytext-amount=10sat

Then http://127.0.0.1:5001/ gives an invoice to each visitor; getword.py is the other side. An invoice promises its payer a secret of 32
bytes. Here it is 8 random bytes, so that nobody guesses it, and 24 bytes of text. Mind that all nodes on the way of the payment learn
the secret as well.
"""

import re
import secrets
import socket
import threading
import time
from decimal import Decimal

try:
    from pyln.client import Plugin, RpcError, RpcException
except ImportError:
    from lightning import Plugin, RpcError  # pylightning, its predecessor

    class RpcException(Exception):
        def __init__(self, message, code=None):
            super().__init__(message)

try:
    from flask import Flask, Response, abort
    from werkzeug.serving import make_server
    missing = None
except ImportError as error:
    missing = error

UNITS = {"": 1, "msat": 1, "sat": 1000, "btc": 100_000_000_000}
RANDOM, TEXT = 8, 24  # bytes of a preimage
EXPIRY = 600  # seconds
MAX_OPEN = 500  # invoices that wait for their payment at the same time

plugin = Plugin()
invoices = {}  # those that wait: label -> when it expires
sold = {}  # what is for sale: text, amount, and where


def parse_amount(text):
    """Millisatoshi of "10sat", "24msat", "0.001btc"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(|msat|sat|btc)", str(text))
    amount = Decimal(match[1]) * UNITS[match[2]] if match else 0
    if amount <= 0 or amount != int(amount):
        raise ValueError("{}: an amount is like 10sat, 24msat or 0.0001btc".format(text))
    return int(amount)


def check_text(text):
    length = len(str(text).encode())
    if not 0 < length <= TEXT:
        raise ValueError("the text has {} bytes: it must have 1 to {} of them".format(length, TEXT))
    if not str(text).isprintable():
        raise ValueError("the text has characters that can't be shown")
    return str(text)


def make_invoice():
    for label, expires in list(invoices.items()):
        if expires < time.time() and invoices.pop(label, None):
            try:
                plugin.rpc.call("delinvoice", {"label": label, "status": "expired"})
            except RpcError:
                pass  # paid, or deleted by somebody else
    if len(invoices) >= MAX_OPEN:
        abort(503, "Too many open invoices. Please try again in a few minutes.")
    label = "paytext-" + secrets.token_hex(8)
    preimage = secrets.token_bytes(RANDOM) + sold["text"].encode().ljust(TEXT, b"\0")
    made = plugin.rpc.call("invoice", {
        "amount_msat": sold["amount_msat"],
        "label": label,
        "description": "A text of at most {} bytes".format(TEXT),
        "expiry": EXPIRY,
        "preimage": preimage.hex(),
    })
    invoices[label] = time.time() + EXPIRY + 60
    return made["bolt11"]


def make_app():
    app = Flask(__name__)

    @app.get("/")
    def visit():
        return Response(make_invoice() + "\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @app.errorhandler(RpcError)
    @app.errorhandler(OSError)
    def no_node(error):
        said = getattr(error, "error", error)
        plugin.log("can't make an invoice: {}".format(said.get("message", said) if isinstance(said, dict) else said), level="warn")
        return Response("The node does not answer. Please try again in a minute.\n", 503, mimetype="text/plain")

    return app


@plugin.method("paytext")
def paytext(plugin, text=None, amount=None):
    """Sells {text} (at most 24 bytes) for {amount} from now until the node stops; without them tells what is sold, and where."""
    try:
        changed = dict(sold)
        if text is not None:
            changed["text"] = check_text(text)
        if amount is not None:
            changed["amount_msat"] = parse_amount(amount)
    except ValueError as error:
        raise RpcException(str(error), -32602)
    sold.update(changed)
    return sold


@plugin.subscribe("invoice_payment")
def on_payment(plugin, invoice_payment, **kwargs):
    if invoices.pop(invoice_payment["label"], None):
        plugin.log("sold the text: {}".format(invoice_payment["label"]))


@plugin.init()
def init(options, configuration, plugin, **kwargs):
    if missing:
        return {"disable": "{}: pip install flask".format(missing)}
    host, port = plugin.get_option("paytext-host"), int(plugin.get_option("paytext-port"))
    try:
        sold["text"] = check_text(plugin.get_option("paytext-text"))
        sold["amount_msat"] = parse_amount(plugin.get_option("paytext-amount"))
        place = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except ValueError as error:
        return {"disable": "can't sell this: {}; set paytext-text and paytext-amount".format(error)}
    except (OSError, OverflowError) as error:
        return {"disable": "can't listen on {} port {}: {}; set paytext-host and paytext-port".format(host, port, error)}
    sold["url"] = "http://{}:{}/".format("[{}]".format(host) if ":" in host else host, place.getsockname()[1])
    server = make_server(host, port, make_app(), threaded=True, fd=place.fileno())
    place.close()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    plugin.log("a text is for sale: {}".format(sold["url"]))


plugin.add_option("paytext-host", "127.0.0.1", "The address on which invoices are given out.")
plugin.add_option("paytext-port", 5001, "The port on which invoices are given out; 0 picks a free one, which the log names.", "int")
plugin.add_option("paytext-text", "Hello, reckless!", "The text that is sold, at most 24 bytes.")
plugin.add_option("paytext-amount", "10sat", "What the text costs: an amount with msat, sat or btc.")
plugin.run()
