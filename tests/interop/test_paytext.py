"""paytext and getword of contrib/plugins: a text for money, with both libraries, and what goes wrong."""

import contextlib
import http.server
import re
import socket
import threading

from examples import LIBRARIES, PLUGINS
from pyln.client import RpcError

import pytest

PAYTEXT = str(PLUGINS / "paytext.py")
GETWORD = str(PLUGINS / "getword.py")
# Of BOLT 11: coffee on the real network.
MAINNET = (
    "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp"
    "3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"
)


@pytest.fixture(params=LIBRARIES, ids=lambda library: library.name)
def library(request, monkeypatch):
    request.param.choose(monkeypatch)
    return request.param


@contextlib.contextmanager
def refused(words):
    with pytest.raises(RpcError) as caught:
        yield
    assert re.search(words, caught.value.error["message"])


class Pages(http.server.ThreadingHTTPServer):
    """A web server of pages that a test sets."""

    def __init__(self):
        pages = self.pages = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path in pages else 404)
                self.end_headers()
                self.wfile.write(pages.get(self.path, "nothing is here").encode())

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path, text=None):
        if text is not None:
            self.pages[path] = text
        return "http://127.0.0.1:{}{}".format(self.server_port, path)


@pytest.fixture
def pages():
    with Pages() as server:
        yield server
        server.shutdown()


def test_a_text_is_sold_and_bought(library, node_factory, pages):
    buying = {"plugin": GETWORD, "getword-limit": "50sat", "allow-deprecated-apis": True}
    selling = {"plugin": PAYTEXT, "paytext-port": 0, "paytext-text": "The cake is a lie", "paytext-amount": "24msat", **library.options}
    buyer, seller = node_factory.line_graph(2, opts=[buying, selling])
    url = seller.rpc.call("paytext")["url"]
    bought = buyer.rpc.call("getword", [url])
    assert bought["text"] == "The cake is a lie"
    assert bought["paid_msat"] == 24
    again = buyer.rpc.call("getword", {"url": url})
    assert again["text"] == bought["text"]
    assert again["preimage"] != bought["preimage"]

    # Another text, as long as it may be, and one that is longer.
    seller.rpc.call("paytext", ["Grüße, ⚡ und Süßes", "51sat"])
    with refused("51000msat, more than the limit of 50000msat"):
        buyer.rpc.call("getword", [url])
    assert buyer.rpc.call("getword", [url, "51sat"])["text"] == "Grüße, ⚡ und Süßes"
    for wrong, words in (
        ({"text": "x" * 25}, "the text has 25 bytes: it must have 1 to 24 of them"),
        ({"text": "ü" * 13}, "the text has 26 bytes"),
        ({"text": ""}, "the text has 0 bytes"),
        ({"text": "a\x1b[2J"}, "characters that can't be shown"),
        ({"amount": "much"}, "much: an amount is like 10sat"),
        ({"amount": -1}, "-1: an amount is like 10sat"),
    ):
        with refused(words):
            seller.rpc.call("paytext", wrong)
    assert seller.rpc.call("paytext")["amount_msat"] == 51000

    # What else may be at a URL.
    theirs = seller.rpc.invoice("any", "any", "any")["bolt11"]
    good = seller.rpc.invoice(1000, "page", "page")["bolt11"]
    for url, words in (
        (pages.url("/huge", seller.rpc.invoice("1000000sat", "huge", "huge")["bolt11"]), "wants 1000000000msat, more than the limit"),
        (pages.url("/any", theirs), "an invoice without an amount"),
        (pages.url("/mainnet", MAINNET), r"an invoice of another network \(lnbc\): this node is on regtest \(lnbcrt\)"),
        (pages.url("/damaged", good[:-1] + ("q" if good[-1] != "q" else "p")), "an invoice that (can.*t be read|is not valid)"),
        (pages.url("/hello", "hello"), "there is no invoice at"),
        (pages.url("/missing"), "answers 404 Not Found: nothing is here"),
        ("http://127.0.0.1:1/", "can't be fetched: .*refused"),
        ("http://256.256.256.256/", "can't be fetched"),
        ("http://[::/", "can't be fetched"),
        ("file:///etc/passwd", "a URL begins with http:// or https://"),
        (7, "a URL begins with"),
    ):
        with refused(words):
            buyer.rpc.call("getword", [url])
    # An ordinary invoice has no text; in capitals and on a page it is found all the same.
    bought = buyer.rpc.call("getword", [pages.url("/page", "<a href='LIGHTNING:{}'>".format(good.upper()))])
    assert bought["text"] is None or bought["text"].isprintable()
    with refused("could not be paid: |paid already"):
        dead = seller.rpc.invoice(1000, "dead", "dead")["bolt11"]
        seller.rpc.delinvoice("dead", "unpaid")
        buyer.rpc.call("getword", [pages.url("/dead", dead)])


def test_what_can_not_be_sold(node_factory):
    seller = node_factory.get_node()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options, words in (
            ({"paytext-port": port}, "can't listen on 127.0.0.1 port {}: .*; set paytext-host and paytext-port".format(port)),
            ({"paytext-text": "x" * 25}, "can't sell this: the text has 25 bytes.*set paytext-text"),
            ({"paytext-amount": "0"}, "can't sell this: 0: an amount is like"),
        ):
            with refused(words):
                seller.rpc.plugin_start(PAYTEXT, **{"paytext-port": 0, **options})
    with refused("getword-limit: limit 1euro: an amount is like"):
        seller.rpc.plugin_start(GETWORD, **{"getword-limit": "1euro"})
