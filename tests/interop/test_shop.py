"""The shop of contrib/plugins: in a browser, with both libraries, and what goes wrong."""

import json
import os
import re
import socket
import urllib.error
import urllib.request

from browser import Browser
from ephemeral_port_reserve import reserve
from examples import LIBRARIES, PLUGINS
from PIL import Image
from pyln.client import RpcError
from pyln.testing.utils import only_one, wait_for
import zxingcpp

import pytest

SHOP = str(PLUGINS / "shop.py")
ARTEFACTS = os.environ["INTEROP_ARTEFACTS"]
# The environment's proxies are not for us.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def address_of(node, start=0):
    """Where the shop is, by the log from a line on."""
    wait_for(lambda: node.daemon.is_in_log("the shop is open: ", start))
    return re.search("http://[^ ]*/", node.daemon.is_in_log("the shop is open: ", start))[0]


def get(url):
    with direct.open(url, timeout=180) as answer:
        return answer.url, answer.read().decode()


def get_error(url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(url)
    return refused.value.code, refused.value.read().decode()


@pytest.fixture(params=LIBRARIES, ids=lambda library: library.name)
def library(request, monkeypatch):
    request.param.choose(monkeypatch)
    return request.param


@pytest.fixture
def browser(directory):
    if "FULGURITE_NO_BROWSER" in os.environ:
        pytest.skip("FULGURITE_NO_BROWSER is set")
    browser = Browser(os.path.join(directory, "browser"))
    yield browser
    browser.close()


def shop(node_factory, **options):
    """A shop and a customer with a channel to it."""
    options = {"plugin": SHOP, "shop-port": 0, **options}
    options["may_reconnect"] = True
    customer, owner = node_factory.line_graph(2, opts=[{"allow-deprecated-apis": True, "may_reconnect": True}, options])
    return customer, owner, address_of(owner)


def test_a_customer_with_a_telephone_pays(node_factory, browser):
    options = {"shop-port": reserve(), "shop-amount": "12345sat", "shop-description": "One <b>coffee</b> & a \"bun\""}
    customer, owner, url = shop(node_factory, **options)
    browser.open(url)
    browser.wait_for("document.getElementById('status').textContent === 'Waiting for the payment'")
    before = os.path.join(ARTEFACTS, "shop.png")
    browser.screenshot(before)
    invoice = only_one(owner.rpc.listinvoices()["invoices"])
    # What a camera sees.
    code = only_one(zxingcpp.read_barcodes(Image.open(before)))
    assert code.text == "LIGHTNING:" + invoice["bolt11"].upper()
    decoded = customer.rpc.decode(code.text.removeprefix("LIGHTNING:").lower())
    assert decoded["amount_msat"] == 12_345_000
    assert decoded["description"] == "One <b>coffee</b> & a \"bun\""
    assert decoded["payee"] == owner.info["id"]
    assert browser.run("document.querySelector('h1').textContent") == decoded["description"]
    assert browser.run("document.querySelector('.wallet').href") == "lightning:" + invoice["bolt11"]
    # It fits on the screen, and nothing came from elsewhere.
    assert browser.run("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight")
    assert browser.run("performance.getEntriesByType('resource').every(entry => entry.name.startsWith(location.origin))")
    browser.run("window.notReloaded = true")
    customer.rpc.pay(decoded.get("bolt11", code.text.removeprefix("LIGHTNING:").lower()))
    browser.wait_for("document.getElementById('status').textContent === 'Paid. Thank you!'")
    assert browser.run("window.notReloaded")
    browser.screenshot(os.path.join(ARTEFACTS, "shop-paid.png"))
    # Who comes back from the wallet finds the same.
    browser.run("location.reload()")
    browser.wait_for("!window.notReloaded && document.readyState === 'complete'")
    assert browser.run("document.getElementById('order').dataset.status") == "paid"
    assert len(owner.rpc.listinvoices()["invoices"]) == 1
    # The node stops while somebody looks at the page, and comes back.
    browser.open(url)
    browser.wait_for("document.getElementById('status').textContent === 'Waiting for the payment'")
    owner.stop()
    browser.wait_for("document.getElementById('status').textContent.startsWith('No connection to the shop')")
    owner.start()
    unpaid = only_one([i for i in owner.rpc.listinvoices()["invoices"] if i["status"] == "unpaid"])
    for node in (owner, customer):
        wait_for(lambda: only_one(node.rpc.listpeerchannels()["channels"]).get("reestablished") is True)
    customer.rpc.pay(unpaid["bolt11"])
    browser.wait_for("document.getElementById('status').textContent === 'Paid. Thank you!'")


def test_each_visit_makes_an_invoice(library, node_factory):
    customer, owner, url = shop(node_factory, **{"shop-amount": "24msat", **library.options})
    first, page = get(url)
    second, _ = get(url)
    assert first != second
    assert "0.024 sat" in page
    assert len(owner.rpc.listinvoices()["invoices"]) == 2
    invoice = only_one(owner.rpc.listinvoices("shop-" + first.rsplit("/", 1)[1])["invoices"])
    assert invoice["bolt11"] in page
    assert get(first + "/status")[1] == "unpaid"
    customer.rpc.pay(invoice["bolt11"])
    assert get(first + "/status?wait")[1] == "paid"
    assert get(second + "/status")[1] == "unpaid"
    # The owner's other invoices are nobody's business, and no request disturbs what is said to lightningd.
    owner.rpc.invoice(1000, "private", "private")
    for path in ("private", "../private", "%0a%0a{%22id%22:1}", "0123456789abcdef", "x" * 5000):
        assert get_error(url + path)[0] == 404
    assert get(second + "/status")[1] == "unpaid"
    # After a restart the old page goes on.
    start = len(owner.daemon.logs)
    owner.restart()
    url = address_of(owner, start)
    assert get(url + first.rsplit("/", 1)[1] + "/status?wait")[1] == "paid"


def test_an_order_that_is_not_paid_expires(node_factory):
    owner = node_factory.get_node(options={"plugin": SHOP, "shop-port": 0, "shop-expiry": 1})
    order, _ = get(address_of(owner))
    wait_for(lambda: get(order + "/status")[1] == "expired")
    assert "New invoice" in get(order)[1]


def test_what_a_shop_can_not_be_opened_with(library, node_factory):
    """The node runs on without it, and the log says why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        owner = node_factory.get_node(options={"plugin": SHOP, "shop-port": port}, allow_warning=True)
        assert owner.daemon.is_in_log("can't listen on 127.0.0.1 port {}: .*Address already in use.*; set shop-host and shop-port".format(port))
    assert SHOP not in json.dumps(owner.rpc.plugin_list()["plugins"])
    owner.rpc.getinfo()


def test_a_shop_that_is_opened_with_nonsense(node_factory):
    owner = node_factory.get_node()
    for options, words in (
        ({"shop-amount": "much"}, "shop-amount=much: it must be an amount like 1000sat"),
        ({"shop-amount": "0"}, "shop-amount=0: it must be"),
        ({"shop-port": 70000}, "can't listen on 127.0.0.1 port 70000: "),
        ({"shop-host": "192.0.2.1"}, "can't listen on 192.0.2.1 port"),
        ({"shop-port": "http"}, "shop-port"),
    ):
        with pytest.raises(RpcError) as refused:
            owner.rpc.plugin_start(SHOP, **{"shop-port": 0, **options})
        assert words in refused.value.error["message"]
    owner.rpc.plugin_start(SHOP, **{"shop-port": 0})
    url = address_of(owner)
    get(url)
    owner.rpc.plugin_stop("shop.py")
    with pytest.raises(urllib.error.URLError):
        get(url)


def test_a_till_that_does_not_answer(node_factory):
    """The shop's plugin can't reach the node for a moment."""
    owner = node_factory.get_node(options={"plugin": SHOP, "shop-port": 0}, allow_warning=True)
    url = address_of(owner)
    rpc = os.path.join(owner.daemon.lightning_dir, "regtest", "lightning-rpc")
    os.rename(rpc, rpc + ".away")
    assert get_error(url) == (503, "The shop's till does not answer. Please try again in a minute.")
    owner.daemon.wait_for_log("can't serve /: .*No such file")
    os.rename(rpc + ".away", rpc)
    get(url)
