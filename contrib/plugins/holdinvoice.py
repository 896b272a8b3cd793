#!/usr/bin/env python3
"""Invoices whose payments wait for a word of yours: is the thing still in stock? Take the money, or send it back.

    important-plugin=/path/to/holdinvoice.py     in the config file
    lightning-cli holdinvoice 5000sat shoes-17 "A pair of shoes, size 43"
    lightning-cli heldpayments
    lightning-cli acceptpayment shoes-17         or: rejectpayment shoes-17

It is asked by lightningd about each HTLC that arrives (the hook htlc_accepted) and does not answer before it knows what you want.

What if..
- the node stops or crashes meanwhile? Which invoices are to be held, and what you decided, is in the node's datastore before
  anything is done about it. lightningd asks again after its start.
- the plugin ends meanwhile? Then nobody holds anything, and lightningd takes the money. So it can't be stopped alone, and you should
  start it as an important plugin: if it crashes, the node ends with it and asks again after its start. (plugin reload is fine: the
  new process is asked.)
- you don't decide? The money of the payer and of all nodes on the way is stuck. Some time before an HTLC's deadline it is sent back, as
  otherwise the channel would be closed.
"""

import hashlib
import json
import secrets
import traceback

from pyln.client import Plugin, RpcError, RpcException

KEY = "holdinvoice"

plugin = Plugin(dynamic=False)
holds = {}  # payment hash -> {"label", "decision": "ask" | "accept" | "reject"}, as in the datastore
held = {}  # payment hash -> {(channel, number): Part}


class Part:
    """One HTLC of a payment, and lightningd's question about it."""

    def __init__(self, onion, htlc, request):
        self.request = request
        self.amount = int(htlc["amount_msat"])
        self.total = int(onion.get("total_msat", self.amount))
        self.expiry = htlc["cltv_expiry"]

    def let_in(self):
        self.request.set_result({"result": "continue"})

    # BOLT 4: incorrect_or_unknown_payment_details, the amount, the height.
    def send_back(self):
        failure = (0x400F).to_bytes(2, "big") + self.amount.to_bytes(8, "big") + plugin.height.to_bytes(4, "big")
        self.request.set_result({"result": "fail", "failure_message": failure.hex()})


def keep(payment_hash, hold, mode):
    """Into the datastore first: what is decided must not be forgotten."""
    plugin.rpc.datastore([KEY, payment_hash], string=json.dumps(hold), mode=mode)
    holds[payment_hash] = hold


def last_block(parts):
    """The height at which the parts are sent back."""
    return min(part.expiry for part in parts) - int(plugin.get_option("holdinvoice-margin"))


@plugin.async_hook("htlc_accepted")
def on_htlc(onion, htlc, request, plugin, **kwargs):
    hold = holds.get(htlc["payment_hash"])
    if hold is None:
        return request.set_result({"result": "continue"})
    try:
        judge(hold, onion, htlc, request)
    except Exception:
        # The library would say continue. Without an answer lightningd holds it, and sends it back in time.
        plugin.log(traceback.format_exc(), "error")


def judge(hold, onion, htlc, request):
    plugin.height = max(plugin.height, htlc["cltv_expiry"] - htlc["cltv_expiry_relative"])
    part = Part(onion, htlc, request)
    if hold["decision"] == "accept":
        return part.let_in()
    if hold["decision"] == "reject":
        return part.send_back()
    if plugin.height >= last_block([part]):
        plugin.log("{}: a part of {}msat came with too little time to decide: sent back".format(hold["label"], part.amount), "warn")
        return part.send_back()
    # Asked again about the same one? Then the first question is void.
    held.setdefault(htlc["payment_hash"], {})[(htlc["short_channel_id"], htlc["id"])] = part
    plugin.log("{}: a part of {}msat of {}msat is held until block {}".format(
        hold["label"], part.amount, part.total, last_block([part])))


@plugin.subscribe("block_added")
def on_block(plugin, block_added, **kwargs):
    plugin.height = block_added["height"]
    for payment_hash, parts in list(held.items()):
        if plugin.height >= last_block(parts.values()):
            plugin.log("{}: nobody decided in time: sent back".format(holds[payment_hash]["label"]), "warn")
            for part in held.pop(payment_hash).values():
                part.send_back()


@plugin.subscribe("invoice_payment")
def on_payment(plugin, invoice_payment, **kwargs):
    for payment_hash, hold in list(holds.items()):
        if hold["label"] == invoice_payment["label"]:
            forget(payment_hash)


def forget(payment_hash):
    del holds[payment_hash]
    plugin.rpc.deldatastore([KEY, payment_hash])


@plugin.method("holdinvoice")
def holdinvoice(plugin, amount_msat, label, description, expiry=604800):
    """Makes an invoice like the method invoice; its payment is held until acceptpayment or rejectpayment."""
    preimage = secrets.token_bytes(32)
    payment_hash = hashlib.sha256(preimage).hexdigest()
    # Marked before it exists: no payment may slip through.
    keep(payment_hash, {"label": str(label), "decision": "ask"}, "must-create")
    try:
        return plugin.rpc.invoice(
            amount_msat, str(label), description, expiry=expiry, preimage=preimage.hex(),
            cltv=int(plugin.get_option("holdinvoice-blocks")) + int(plugin.get_option("holdinvoice-margin")),
        )
    except RpcError as error:
        forget(payment_hash)
        raise RpcException(error.error["message"], error.error["code"])


@plugin.method("heldpayments")
def heldpayments(plugin):
    """Lists payments that wait for a decision."""
    return {"payments": [
        {
            "label": holds[payment_hash]["label"],
            "payment_hash": payment_hash,
            "amount_msat": max(part.total for part in parts.values()),
            "received_msat": sum(part.amount for part in parts.values()),
            "parts": len(parts),
            "blocks_left": last_block(parts.values()) - plugin.height,
        }
        for payment_hash, parts in held.items()
    ]}


def decide(label, decision):
    for payment_hash, parts in held.items():
        if holds[payment_hash]["label"] == str(label):
            break
    else:
        raise RpcException("no payment for {} is held: heldpayments lists them".format(label), -32602)
    received, total = sum(part.amount for part in parts.values()), max(part.total for part in parts.values())
    if decision == "accept" and received < total:
        raise RpcException("only {}msat of {}msat have arrived for {}: wait for the rest, or reject it".format(received, total, label))
    keep(payment_hash, {"label": str(label), "decision": decision}, "must-replace")
    return held.pop(payment_hash).values()


@plugin.method("acceptpayment")
def acceptpayment(plugin, label):
    """Takes the payment for {label}. waitinvoice tells when it is there."""
    parts = decide(label, "accept")
    for part in parts:
        part.let_in()
    return {"label": label, "accepted_msat": sum(part.amount for part in parts)}


@plugin.method("rejectpayment")
def rejectpayment(plugin, label):
    """Sends the payment for {label} back, as all that may follow for it."""
    parts = decide(label, "reject")
    for part in parts:
        part.send_back()
    return {"label": label, "rejected_msat": sum(part.amount for part in parts)}


@plugin.init()
def init(options, configuration, plugin, **kwargs):
    plugin.height = plugin.rpc.getinfo()["blockheight"]
    for entry in plugin.rpc.listdatastore([KEY])["datastore"]:
        holds[entry["key"][1]] = json.loads(entry["string"])
    for payment_hash in list(holds):
        found = plugin.rpc.listinvoices(payment_hash=payment_hash)["invoices"]
        # Never made, deleted, or over.
        if not found or found[0]["status"] == "paid":
            forget(payment_hash)


plugin.add_option("holdinvoice-blocks", 144, "How many blocks there are at least to decide about a payment.", "int")
plugin.add_option("holdinvoice-margin", 40, "How many blocks before an HTLC's deadline it is sent back undecided.", "int")
plugin.run()
