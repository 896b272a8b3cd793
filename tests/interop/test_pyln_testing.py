"""The fixtures with which plugin authors test: they start, fund, connect, use and check our nodes as they do Core Lightning's."""

import os
import sqlite3
import stat

from pyln.client import RpcError
from pyln.testing.utils import only_one, sync_blockheight, wait_channel_quiescent, wait_for

import pytest


def test_a_line_of_two_nodes_pays(node_factory):
    l1, l2 = node_factory.line_graph(2, fundchannel=True)
    inv = l2.rpc.invoice(50_000_000, "first", "a first payment")
    route = [
        {
            "id": l2.info["id"],
            "channel": l1.get_channel_scid(l2),
            "amount_msat": 50_000_000,
            "delay": 10,
        }
    ]
    l1.rpc.sendpay(route, inv["payment_hash"], payment_secret=inv["payment_secret"])
    sent = l1.rpc.waitsendpay(inv["payment_hash"])
    assert sent["status"] == "complete"
    assert only_one(l2.rpc.listinvoices("first")["invoices"])["status"] == "paid"
    l1.pay(l2, 1_000_000)
    wait_channel_quiescent(l1, l2)
    channel = only_one(l2.rpc.listpeerchannels(l1.info["id"])["channels"])
    assert channel["to_us_msat"] == 51_000_000


def test_pay(node_factory):
    # Core Lightning calls `pay` deprecated since 26.06.
    l1, l2 = node_factory.line_graph(2, opts={"allow-deprecated-apis": True}, wait_for_announce=True)
    inv = l2.rpc.invoice(123_000, "second", "paid by pay")
    paid = l1.rpc.pay(inv["bolt11"])
    assert paid["status"] == "complete"
    assert paid["amount_msat"] == 123_000
    assert only_one(l1.rpc.listpays(inv["bolt11"])["pays"])["status"] == "complete"
    with pytest.raises(RpcError):
        l1.rpc.pay("lnbcrt1nonsense")


def test_close_gives_the_coins_back(node_factory, bitcoind):
    l1, l2 = node_factory.line_graph(2)
    l1.pay(l2, 100_000_000)
    wait_channel_quiescent(l1, l2)
    l1.rpc.close(l2.info["id"])
    bitcoind.generate_block(1, wait_for_mempool=1)
    sync_blockheight(bitcoind, [l1, l2])
    wait_for(lambda: [o["status"] for o in l2.rpc.listfunds()["outputs"]] == ["confirmed"])
    assert only_one(l2.rpc.listfunds()["outputs"])["amount_msat"] == 100_000_000


def test_keys_are_those_of_core_lightning(node_factory):
    """The fixtures make the secret from the number of the node, so the keys are known."""
    l1, l2 = node_factory.get_nodes(2)
    assert l1.info["id"] == "038194b5f32bdf0aa59812c86c4ef7ad2f294104fa027d1ace9b469bb6f88cf37b"
    assert l1.info["alias"].startswith("STRANGEBOUNCE")
    assert l1.info["color"] == "038194"
    assert l2.info["id"] == "033845802d25b4e074ccfd7cd8b339a41dc75bf9978a034800444b51d42b07799a"


def test_restart_keeps_the_channel(node_factory):
    l1, l2 = node_factory.line_graph(2, opts={"may_reconnect": True})
    l1.pay(l2, 1_000_000)
    l2.restart()
    wait_for(lambda: only_one(l1.rpc.listpeerchannels()["channels"])["peer_connected"])
    wait_for(lambda: only_one(l2.rpc.listpeerchannels()["channels"]).get("reestablished") is True)
    wait_for(lambda: only_one(l1.rpc.listpeerchannels()["channels"]).get("reestablished") is True)
    l1.pay(l2, 1_000_000)


def test_openchannel_and_balanced_channels(node_factory):
    l1, l2 = node_factory.get_nodes(2)
    l1.openchannel(l2, 10**6)
    assert l1.is_connected(l2)
    scid = l1.fundbalancedchannel(l2, 10**6, announce=False)
    wait_for(lambda: l2.is_local_channel_active(scid))
    channel = only_one(l2.rpc.listpeerchannels(short_channel_id=scid)["channels"])
    assert channel["to_us_msat"] == 500_000_000
    assert channel["private"] is True


def test_fundchannel_and_drain(node_factory):
    l1, l2 = node_factory.get_nodes(2)
    scid, _ = l1.fundchannel(l2, 10**6)
    l1.wait_local_channel_active(scid)
    assert l1.drain(l2) > 900_000_000
    l2.pay(l1, 500_000_000)


def test_messages_are_logged_and_feerates_follow_the_chain(node_factory):
    l1, l2 = node_factory.line_graph(2, opts={"may_reconnect": True})
    l1.daemon.wait_for_log("peer_out WIRE_CHANNEL_READY")
    l2.daemon.wait_for_log("peer_in WIRE_CHANNEL_READY")
    l1.force_feerates(14000)
    l1.set_feerates((20000, 15000, 10000, 5000), True)


def test_a_disconnection_on_purpose(node_factory):
    """The peer hangs up instead of answering a payment; the payment is made all the same."""
    opts = [{"may_reconnect": True}, {"may_reconnect": True, "disconnect": ["-WIRE_REVOKE_AND_ACK"]}]
    l1, l2 = node_factory.line_graph(2, opts=opts)
    l1.pay(l2, 123_000)
    l2.daemon.wait_for_log("dev_disconnect: -WIRE_REVOKE_AND_ACK")
    wait_channel_quiescent(l1, l2)


def test_a_kill_and_a_stop_by_signal(node_factory):
    l1, l2 = node_factory.line_graph(2, opts={"may_reconnect": True, "may_fail": True})
    l1.pay(l2, 1_000_000)
    l2.daemon.kill()
    l2.start()
    l2.restart(clean=False)
    wait_for(lambda: only_one(l1.rpc.listpeerchannels()["channels"]).get("reestablished") is True)
    wait_for(lambda: only_one(l2.rpc.listpeerchannels()["channels"]).get("reestablished") is True)
    l1.pay(l2, 1_000_000)


def test_a_reorganisation(node_factory, bitcoind):
    l1, l2 = node_factory.line_graph(2, wait_for_announce=True)
    height = bitcoind.rpc.getblockcount()
    bitcoind.simple_reorg(height - 2)
    sync_blockheight(bitcoind, [l1, l2])
    l1.pay(l2, 1_000_000)


def test_a_unilateral_close_is_swept(node_factory, bitcoind):
    l1, l2 = node_factory.line_graph(2, opts={"may_reconnect": True})
    l1.pay(l2, 200_000_000)
    l2.stop()
    l1.rpc.close(l2.info["id"], 1)
    bitcoind.generate_block(1, wait_for_mempool=1)
    l1.daemon.wait_for_log(" to ONCHAIN")
    _, txid, blocks = l1.wait_for_onchaind_tx("OUR_DELAYED_RETURN_TO_WALLET", "OUR_UNILATERAL/DELAYED_OUTPUT_TO_US")
    assert blocks == 4
    bitcoind.generate_block(4)
    bitcoind.generate_block(1, wait_for_mempool=txid)
    sync_blockheight(bitcoind, [l1])
    wait_for(lambda: txid in [o["txid"] for o in l1.rpc.listfunds()["outputs"]])


def test_a_plugin_in_python(node_factory, directory):
    path = os.path.join(directory, "greeter.py")
    with open(path, "w") as f:
        f.write(GREETER)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    l1 = node_factory.get_node(options={"plugin": path, "greeting": "Moin"})
    assert l1.rpc.call("greet", {"name": "you"}) == {"text": "Moin you"}


def test_an_inline_plugin(node_factory):
    def setup(plugin):
        @plugin.method("double")
        def double(number, plugin):
            return {"number": 2 * number}

    l1 = node_factory.get_node(inline_plugin=setup)
    assert l1.rpc.call("double", {"number": 21}) == {"number": 42}


def test_a_plugin_hears_and_is_asked(node_factory):
    """A plugin of pyln-client's that subscribes, judges payments and keeps one back."""

    def setup(plugin):
        plugin.seen = []
        plugin.held = None

        @plugin.subscribe("connect")
        def on_connect(plugin, connect, **kwargs):
            plugin.seen.append([connect["id"], connect["direction"]])

        @plugin.hook("invoice_payment")
        def on_payment(payment, plugin, **kwargs):
            return {"result": "reject" if payment["label"] == "unwanted" else "continue"}

        @plugin.async_hook("htlc_accepted")
        def on_htlc(onion, htlc, plugin, request, **kwargs):
            if htlc["amount_msat"] == 7000:
                plugin.held = request
            else:
                request.set_result({"result": "continue"})

        @plugin.method("seen")
        def seen(plugin):
            return {"seen": plugin.seen}

        @plugin.method("holds")
        def holds(plugin):
            return {"holds": plugin.held is not None}

        @plugin.method("let_go")
        def let_go(plugin):
            plugin.held.set_result({"result": "continue"})
            return {}

    l1 = node_factory.get_node()
    l2 = node_factory.get_node(inline_plugin=setup)
    node_factory.join_nodes([l1, l2])
    wait_for(lambda: l2.rpc.call("seen") == {"seen": [[l1.info["id"], "in"]]})

    def send(amount, label):
        inv = l2.rpc.invoice(amount, label, label)
        route = [{"id": l2.info["id"], "channel": l1.get_channel_scid(l2), "amount_msat": amount, "delay": 15}]
        l1.rpc.sendpay(route, inv["payment_hash"], payment_secret=inv["payment_secret"])
        return inv["payment_hash"]

    assert l1.rpc.waitsendpay(send(5000, "wanted"))["status"] == "complete"
    with pytest.raises(RpcError, match="INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS"):
        l1.rpc.waitsendpay(send(5000, "unwanted"))
    held = send(7000, "held")
    # The HTLC is listed before the plugin is asked about it.
    wait_for(lambda: l2.rpc.call("holds")["holds"])
    assert only_one(l2.rpc.listpeerchannels()["channels"])["htlcs"] != []
    assert only_one(l1.rpc.listsendpays(payment_hash=held)["payments"])["status"] == "pending"
    l2.rpc.call("let_go")
    assert l1.rpc.waitsendpay(held)["status"] == "complete"


def account_sums(node):
    """What the lines of each account add up to."""
    sums = {}
    lines = node.rpc.call("listchainmoves")["chainmoves"] + node.rpc.call("listchannelmoves")["channelmoves"]
    for line in lines:
        gained = int(line["credit_msat"]) - int(line["debit_msat"])
        sums[line["account_id"]] = sums.get(line["account_id"], 0) + gained
    return sums


def confirmed_msat(node):
    coins = [coin for coin in node.rpc.listfunds()["outputs"] if coin["status"] == "confirmed"]
    return sum(int(coin["amount_msat"]) for coin in coins)


def test_a_node_older_than_its_accounts(node_factory, bitcoind):
    """Accounts that begin late begin with what there is."""
    l1, l2 = node_factory.line_graph(2)
    l1.pay(l2, 1234567)
    for node in (l1, l2):
        wait_for(lambda: only_one(node.rpc.listpeerchannels()["channels"])["htlcs"] == [])
        node.stop()
        database = sqlite3.connect(os.path.join(node.daemon.lightning_dir, "regtest", "lightningd.sqlite3"))
        for table in ("chain_moves", "channel_moves"):
            database.execute("DELETE FROM " + table)
        database.execute("DELETE FROM vars WHERE name = 'accounts_begun'")
        database.commit()
        database.close()
    for node in (l1, l2):
        node.start()
    bitcoind.generate_block(1)
    sync_blockheight(bitcoind, [l1, l2])
    for node in (l1, l2):
        channel = only_one(node.rpc.listpeerchannels()["channels"])
        sums = account_sums(node)
        assert sums.pop("wallet", 0) == confirmed_msat(node)
        assert sums == {channel["channel_id"]: channel["to_us_msat"]}
    tags = [line["primary_tag"] for line in l1.rpc.call("listchannelmoves")["channelmoves"]]
    assert tags == ["journal_entry"]


def test_coin_movements_are_heard(node_factory, bitcoind):
    """A plugin of pyln-client's hears every line of the accounts once, in the order they are listed, through a close and its sweep."""

    def setup(plugin):
        plugin.moves = []

        @plugin.subscribe("coin_movement")
        def on_move(plugin, coin_movement, **kwargs):
            plugin.moves.append(coin_movement)

        @plugin.method("moves")
        def moves(plugin):
            return {"moves": plugin.moves}

    l1 = node_factory.get_node(inline_plugin=setup)
    l2 = node_factory.get_node()
    node_factory.join_nodes([l1, l2])
    l1.pay(l2, 1000000)
    wait_for(lambda: only_one(l1.rpc.listpeerchannels()["channels"])["htlcs"] == [])
    channel = only_one(l1.rpc.listpeerchannels()["channels"])
    # It was told before the channel was closed, so that the sum is what the channel holds.
    wait_for(lambda: any(move["type"] == "channel_mvt" for move in l1.rpc.call("moves")["moves"]))
    ours = [move for move in l1.rpc.call("moves")["moves"] if move["account_id"] == channel["channel_id"]]
    assert sum(int(move["credit_msat"]) - int(move["debit_msat"]) for move in ours) == channel["to_us_msat"]
    l2.stop()
    l1.rpc.close(channel["channel_id"], 1)
    bitcoind.generate_block(1, wait_for_mempool=1)
    bitcoind.generate_block(6)
    wait_for(lambda: bitcoind.rpc.getrawmempool() != [])
    bitcoind.generate_block(1)

    def listed(kind):
        return l1.rpc.call("list{}moves".format(kind))["{}moves".format(kind)]

    wait_for(lambda: any(move["primary_tag"] == "to_wallet" for move in listed("chain")))
    for kind in ("chain", "channel"):
        lines = listed(kind)

        def heard():
            moves = l1.rpc.call("moves")["moves"]
            return [move for move in moves if move["type"] == "{}_mvt".format(kind)]

        wait_for(lambda: len(heard()) == len(lines))
        for line, told in zip(lines, heard()):
            assert {name: told[name] for name in line} == line
            assert told["version"] == 2 and told["coin_type"] == "bcrt" and told["node_id"] == l1.info["id"]
    sums = account_sums(l1)
    assert sums[channel["channel_id"]] == 0
    assert sums["wallet"] == confirmed_msat(l1)


GREETER = """#!/usr/bin/env python3
from pyln.client import Plugin

plugin = Plugin()


@plugin.method("greet")
def greet(plugin, name):
    return {"text": "{} {}".format(plugin.get_option("greeting"), name)}


plugin.add_option("greeting", "Hello", "What to say.")
plugin.run()
"""
