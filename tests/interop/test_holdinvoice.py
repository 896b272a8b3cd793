"""holdinvoice of contrib/plugins: payments that wait for a decision."""

from examples import PLUGINS
from pyln.client import RpcError
from pyln.testing.utils import only_one, sync_blockheight, wait_for

import pytest

HOLDINVOICE = str(PLUGINS / "holdinvoice.py")


def pair(node_factory, **options):
    """A payer and a node that holds payments."""
    options = {"important-plugin": HOLDINVOICE, "may_reconnect": True, **options}
    return node_factory.line_graph(2, opts=[{"allow-deprecated-apis": True, "may_reconnect": True}, options])


def pay(executor, payer, payee, label, amount=5000):
    """Begins a payment and waits until it is held."""
    made = payee.rpc.call("holdinvoice", [amount, label, "held"])
    paying = executor.submit(payer.rpc.pay, made["bolt11"])
    wait_for(lambda: label in [payment["label"] for payment in held(payee)])
    assert not paying.done()
    return paying


def held(node):
    return node.rpc.call("heldpayments")["payments"]


def status(node, label):
    return only_one(node.rpc.listinvoices(label)["invoices"])["status"]


def test_payments_are_held_accepted_and_rejected(node_factory, executor):
    payer, payee = pair(node_factory)
    wanted = pay(executor, payer, payee, "wanted")
    unwanted = pay(executor, payer, payee, "unwanted", 7000)
    assert sorted((p["label"], p["amount_msat"], p["received_msat"], p["parts"]) for p in held(payee)) == [
        ("unwanted", 7000, 7000, 1), ("wanted", 5000, 5000, 1),
    ]
    assert all(p["blocks_left"] >= 140 for p in held(payee))
    # Others are none of its business.
    assert payer.rpc.pay(payee.rpc.invoice(1000, "other", "other")["bolt11"])["status"] == "complete"
    assert status(payee, "wanted") == status(payee, "unwanted") == "unpaid"
    payee.rpc.call("rejectpayment", ["unwanted"])
    with pytest.raises(RpcError, match="INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS"):
        unwanted.result(timeout=180)
    payee.rpc.call("acceptpayment", {"label": "wanted"})
    assert wanted.result(timeout=180)["status"] == "complete"
    assert (status(payee, "wanted"), status(payee, "unwanted")) == ("paid", "unpaid")
    # Rejected once is rejected for ever.
    with pytest.raises(RpcError):
        payer.rpc.pay(only_one(payee.rpc.listinvoices("unwanted")["invoices"])["bolt11"])
    assert held(payee) == []
    for wrong, words in (
        (("acceptpayment", ["nothing"]), "no payment for nothing is held"),
        (("rejectpayment", ["wanted"]), "no payment for wanted is held"),
        (("holdinvoice", [1000, "wanted", "again"]), "label"),
        (("holdinvoice", ["much", "much", "much"]), "much"),
    ):
        with pytest.raises(RpcError, match=words):
            payee.rpc.call(*wrong)
    # What is over is forgotten, what was rejected is not.
    wait_for(lambda: len(payee.rpc.listdatastore(["holdinvoice"])["datastore"]) == 1)
    with pytest.raises(RpcError, match="cannot be managed when lightningd is up"):
        payee.rpc.plugin_stop("holdinvoice.py")


def test_held_payments_outlive_the_node(node_factory, executor):
    payer, payee = pair(node_factory, may_fail=True)
    stopped = pay(executor, payer, payee, "stopped")
    payee.restart()
    wait_for(lambda: [p["label"] for p in held(payee)] == ["stopped"])
    for node in (payee, payer):
        wait_for(lambda: only_one(node.rpc.listpeerchannels()["channels"]).get("reestablished") is True)
    killed = pay(executor, payer, payee, "killed")
    payee.daemon.kill()
    payee.start()
    wait_for(lambda: len(held(payee)) == 2)
    # Another process of the plugin is asked, too.
    payee.rpc.call("plugin", {"subcommand": "reload", "plugin": "holdinvoice.py"})
    wait_for(lambda: len(held(payee)) == 2)
    payee.rpc.call("acceptpayment", ["killed"])
    assert killed.result(timeout=180)["status"] == "complete"
    payee.rpc.call("rejectpayment", ["stopped"])
    with pytest.raises(RpcError):
        stopped.result(timeout=180)


def test_nobody_decides_in_time(node_factory, bitcoind, executor):
    payer, payee = pair(node_factory, **{"holdinvoice-blocks": 3, "holdinvoice-margin": 12, "allow_warning": True})
    paying = pay(executor, payer, payee, "late")
    left = only_one(held(payee))["blocks_left"]
    bitcoind.generate_block(left - 1)
    sync_blockheight(bitcoind, [payer, payee])
    wait_for(lambda: only_one(held(payee))["blocks_left"] == 1)
    bitcoind.generate_block(1)
    with pytest.raises(RpcError):
        paying.result(timeout=180)
    assert held(payee) == []
    payee.daemon.wait_for_log("late: nobody decided in time: sent back")
    # Neither node went to the chain.
    assert only_one(payer.rpc.listpeerchannels()["channels"])["state"] == "CHANNELD_NORMAL"
