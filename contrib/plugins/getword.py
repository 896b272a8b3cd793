#!/usr/bin/env python3
"""Buys what paytext.py sells: fetches an invoice from a URL, pays it if it asks for a sane amount, and shows the text in the preimage.

    pip install pyln-client
    lightning-cli plugin start $PWD/getword.py getword-limit=50sat
    lightning-cli getword http://127.0.0.1:5001/
"""

import http.client
import re
import time
import urllib.error
import urllib.request
from decimal import Decimal

try:
    from pyln.client import Plugin, RpcError, RpcException
except ImportError:
    from lightning import Plugin, RpcError  # pylightning, its predecessor

    class RpcException(Exception):
        def __init__(self, message, code=None):
            super().__init__(message)

UNITS = {"": 1, "msat": 1, "sat": 1000, "btc": 100_000_000_000}
PREFIXES = {"bitcoin": "bc", "testnet": "tb", "testnet4": "tb", "signet": "tbs", "regtest": "bcrt"}
RANDOM = 8  # bytes of the preimage before the text
TIMEOUT = 20  # seconds
LARGEST = 1 << 16  # bytes that are read

plugin = Plugin()


def parse_amount(text):
    """Millisatoshi of "10sat", "24msat", "0.001btc"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(|msat|sat|btc)", str(text))
    amount = Decimal(match[1]) * UNITS[match[2]] if match else 0
    if amount <= 0 or amount != int(amount):
        raise RpcException("limit {}: an amount is like 10sat, 24msat or 0.0001btc".format(text), -32602)
    return int(amount)


def fetch(url):
    if not re.match("https?://", str(url), re.IGNORECASE):
        raise RpcException("{}: a URL begins with http:// or https://".format(url), -32602)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return answer.read(LARGEST).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        said = error.read(200).decode("utf-8", "replace").strip()
        raise RpcException("{} answers {} {}: {}".format(url, error.code, error.reason, said))
    except urllib.error.URLError as error:
        raise RpcException("{} can't be fetched: {}".format(url, error.reason))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RpcException("{} can't be fetched: {}".format(url, error))


def reason(error):
    """What the node said; the libraries differ in how they keep it."""
    return error.error.get("message", error.error) if isinstance(error.error, dict) else error.error


def decode(bolt11, url):
    try:
        invoice = plugin.rpc.call("decode", {"string": bolt11})
    except RpcError as error:
        raise RpcException("{} gave an invoice that can't be read: {}".format(url, reason(error)))
    if not invoice.get("valid") or invoice["type"] != "bolt11 invoice":
        raise RpcException("{} gave an invoice that is not valid".format(url))
    return invoice


def check(invoice, limit, url):
    """Whether to pay an invoice."""
    ours = PREFIXES.get(plugin.network)
    if ours and invoice["currency"] != ours:
        raise RpcException("{} gave an invoice of another network (ln{}): this node is on {} (ln{})".format(
            url, invoice["currency"], plugin.network, ours))
    if invoice.get("amount_msat") is None:
        raise RpcException("{} gave an invoice without an amount: pay it by hand if you like".format(url))
    amount = int(invoice["amount_msat"])
    if amount > limit:
        raise RpcException("{} wants {}msat, more than the limit of {}msat: say getword URL LIMIT, or set getword-limit".format(
            url, amount, limit))
    if invoice["created_at"] + invoice["expiry"] < time.time():
        raise RpcException("{} gave an invoice that has expired".format(url))


@plugin.method("getword")
def getword(plugin, url, limit=None):
    """Pays the invoice at {url} if it is for at most {limit} (default: the option getword-limit), and shows the text it pays for."""
    limit = parse_amount(plugin.get_option("getword-limit") if limit is None else limit)
    # On its own, or somewhere on a page.
    found = re.search("ln(bcrt|bc|tbs|tb)[0-9]*[munp]?1[02-9ac-hj-np-z]{100,}", fetch(url).lower())
    if not found:
        raise RpcException("there is no invoice at {}".format(url))
    invoice = decode(found[0], url)
    check(invoice, limit, url)
    try:
        paid = plugin.rpc.call("pay", {"bolt11": found[0]})
    except RpcError as error:
        raise RpcException("the invoice of {} could not be paid: {}".format(url, reason(error)))
    text = bytes.fromhex(paid["payment_preimage"])[RANDOM:].rstrip(b"\0").decode("utf-8", "replace")
    answer = {"text": text, "paid_msat": int(paid["amount_sent_msat"]), "preimage": paid["payment_preimage"]}
    if not text.isprintable() or "\ufffd" in text:
        answer["text"] = None
        answer["warning"] = "the preimage holds no text"
    return answer


@plugin.init()
def init(options, configuration, plugin, **kwargs):
    plugin.network = configuration.get("network")
    try:
        parse_amount(plugin.get_option("getword-limit"))
    except RpcException as error:
        return {"disable": "getword-limit: {}".format(getattr(error, "message", error))}


plugin.add_option("getword-limit", "100sat", "The most that getword pays: an amount with msat, sat or btc.")
plugin.run()
