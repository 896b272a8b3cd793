#!/usr/bin/env python3
"""A shop with one thing to sell: a web page that makes an invoice for each visit, shows it as a QR code, and says when it is paid.

    pip install pyln-client flask segno
    lightning-cli plugin start $PWD/shop.py shop-amount=1000sat shop-description="One coffee"

Then open http://127.0.0.1:5000/. With shop-host=0.0.0.0 telephones in the same network can open it, too; put a web server with
TLS in front before the whole world does.
"""

import re
import secrets
import socket
import threading
import time
from decimal import Decimal

try:
    from pyln.client import Plugin, RpcError
except ImportError:
    from lightning import Plugin, RpcError  # pylightning, its predecessor

try:
    import segno
    from flask import Flask, Response, abort, redirect, render_template_string, request
    from werkzeug.serving import make_server
    missing = None
except ImportError as error:
    missing = error

UNITS = {"": 1, "msat": 1, "sat": 1000, "btc": 100_000_000_000}
MAX_OPEN = 500  # orders that wait for their payment at the same time
LONG_POLL = 25  # seconds

plugin = Plugin()
orders = {}  # those that wait: order -> (when it expires, an event that is set when it is paid)


def parse_amount(text):
    """Millisatoshi of "1000sat", "24msat", "0.001btc"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(|msat|sat|btc)", str(text))
    amount = Decimal(match[1]) * UNITS[match[2]] if match else 0
    if amount <= 0 or amount != int(amount):
        raise ValueError("shop-amount={}: it must be an amount like 1000sat, 24msat or 0.0001btc".format(text))
    return int(amount)


def show_amount(msat):
    return "{:,} sat".format(msat // 1000) if msat % 1000 == 0 else "{:,.3f} sat".format(msat / 1000)


# The label names an invoice, and no two may have the same: should we crash before we know whether one was made, a second try with
# its label tells. Here nobody tries twice, so random ones will do.
def new_order():
    forget_expired()
    if len(orders) >= MAX_OPEN:
        abort(503, "Too many open orders. Please try again in a few minutes.")
    order = secrets.token_hex(8)
    expiry = int(plugin.get_option("shop-expiry"))
    plugin.rpc.call("invoice", {
        "amount_msat": parse_amount(plugin.get_option("shop-amount")),
        "label": "shop-" + order,
        "description": plugin.get_option("shop-description"),
        "expiry": expiry,
    })
    orders[order] = (time.time() + expiry, threading.Event())
    return order


def forget_expired():
    """Robots visit, too: what they leave behind is removed from the node."""
    for order, (expires, _) in list(orders.items()):
        if expires + 60 < time.time() and orders.pop(order, None):
            try:
                plugin.rpc.call("delinvoice", {"label": "shop-" + order, "status": "expired"})
            except RpcError:
                pass  # paid after all, or deleted by somebody else


def find_invoice(order):
    found = plugin.rpc.call("listinvoices", {"label": "shop-" + order})["invoices"]
    return found[0] if found else abort(404, "There is no such order.")


@plugin.subscribe("invoice_payment")
def on_payment(plugin, invoice_payment, **kwargs):
    order = invoice_payment["label"].removeprefix("shop-")
    if order in orders:
        _, paid = orders.pop(order)
        paid.set()
        plugin.log("order {} is paid".format(order))


def wait_for_payment(order):
    """The invoice's status: at once if there is news, else after a while."""
    invoice = find_invoice(order)
    if invoice["status"] == "unpaid":
        # After a restart we don't know it yet. Asked again, lest it was paid just now.
        _, paid = orders.setdefault(order, (invoice["expires_at"], threading.Event()))
        if find_invoice(order)["status"] == "unpaid":
            paid.wait(max(0, min(LONG_POLL, invoice["expires_at"] - time.time())))
        invoice = find_invoice(order)
    return invoice["status"]


def make_app():
    app = Flask(__name__)

    @app.get("/")
    def visit():
        # On to a page of its own: whoever comes back from the wallet finds the same invoice.
        return redirect(new_order(), 303)

    @app.get("/<order>")
    def show(order):
        invoice = find_invoice(check(order))
        bolt11 = invoice["bolt11"]
        # Capitals make a smaller code.
        code = segno.make_qr("LIGHTNING:" + bolt11.upper()).svg_inline(omitsize=True, svgclass="qr", border=4)
        nonce = secrets.token_urlsafe(16)
        page = Response(render_template_string(
            PAGE, order=order, invoice=invoice, bolt11=bolt11, code=code, nonce=nonce,
            amount=show_amount(int(invoice["amount_msat"])),
        ))
        page.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; img-src data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'".format(nonce))
        return page

    @app.get("/<order>/status")
    def status(order):
        check(order)
        return Response(wait_for_payment(order) if "wait" in request.args else find_invoice(order)["status"], mimetype="text/plain")

    def check(order):
        return order if re.fullmatch("[0-9a-f]{16}", order) else abort(404, "There is no such page.")

    @app.errorhandler(RpcError)
    @app.errorhandler(OSError)
    def no_node(error):
        said = getattr(error, "error", error)
        said = said.get("message", said) if isinstance(said, dict) else said
        plugin.log("can't serve {}: {}".format(request.path, said), level="warn")
        return Response("The shop's till does not answer. Please try again in a minute.", 503, mimetype="text/plain")

    @app.after_request
    def fresh(response):
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return app


@plugin.init()
def init(options, configuration, plugin, **kwargs):
    if missing:
        return {"disable": "{}: pip install flask segno".format(missing)}
    host, port = plugin.get_option("shop-host"), int(plugin.get_option("shop-port"))
    try:
        parse_amount(plugin.get_option("shop-amount"))
        place = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except ValueError as error:
        return {"disable": str(error)}
    except (OSError, OverflowError) as error:
        return {"disable": "can't listen on {} port {}: {}; set shop-host and shop-port".format(host, port, error)}
    port = place.getsockname()[1]
    server = make_server(host, port, make_app(), threaded=True, fd=place.fileno())
    place.close()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    plugin.log("the shop is open: http://{}:{}/".format("[{}]".format(host) if ":" in host else host, port))


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ amount }} &ndash; {{ invoice.description }}</title>
<link rel="icon" href="data:,">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<style nonce="{{ nonce }}">
:root { --ink: #1d2433; --soft: #67718a; --line: #e3e7ef; --paper: #fff; --back: #f2f4f8; --accent: #f7931a; --good: #12915a; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 16px; background: var(--back);
  color: var(--ink); font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { width: 100%; max-width: 400px; padding: 26px 24px 24px; background: var(--paper); border-radius: 22px; text-align: center;
  box-shadow: 0 1px 2px #1d243314, 0 12px 32px #1d24331a; }
h1 { margin: 0; font-size: 18px; font-weight: 500; color: var(--soft); overflow-wrap: anywhere; }
.amount { margin: 2px 0 18px; font-size: 36px; font-weight: 700; letter-spacing: -.02em; }
.code { position: relative; padding: 4px; border: 1px solid var(--line); border-radius: 16px; background: #fff; }
.qr { display: block; width: 100%; height: auto; }
.done { position: absolute; inset: 0; display: none; place-items: center; border-radius: 16px; background: #fffffff5; }
.done svg { width: 46%; }
.status { display: inline-flex; align-items: center; gap: 9px; margin: 18px 0 0; padding: 7px 16px; border-radius: 99px;
  background: #fdf1e1; color: #8a4b00; font-weight: 600; }
.status i { width: 9px; height: 9px; border-radius: 50%; background: var(--accent); animation: beat 1.6s ease-in-out infinite; }
@keyframes beat { 50% { opacity: .25; } }
.wallet { display: block; margin: 18px 0 0; padding: 14px; border-radius: 14px; background: var(--ink); color: #fff; font-weight: 600;
  text-decoration: none; }
.text { display: flex; gap: 8px; margin: 10px 0 0; }
.text input { flex: 1; min-width: 0; padding: 11px 12px; border: 1px solid var(--line); border-radius: 12px; color: var(--soft);
  background: var(--back); font: 13px ui-monospace, "DejaVu Sans Mono", monospace; text-overflow: ellipsis; }
.text button { padding: 0 16px; border: 1px solid var(--line); border-radius: 12px; background: var(--paper); color: var(--ink);
  font: inherit; font-weight: 600; }
.again { display: none; margin: 16px 0 0; color: var(--soft); }
[data-status=paid] .done, [data-status=expired] .done { display: grid; }
[data-status=paid] .ways, [data-status=expired] .ways { display: none; }
[data-status=paid] .cross, [data-status=expired] .check { display: none; }
[data-status=paid] .status { background: #e0f4ea; color: var(--good); }
[data-status=paid] .status i { background: var(--good); animation: none; }
[data-status=expired] .status { background: #eceff4; color: var(--soft); }
[data-status=expired] .status i { background: var(--soft); animation: none; }
[data-status=expired] .again { display: block; }
</style>
</head>
<body>
<main id="order" data-order="{{ order }}" data-status="{{ invoice.status }}">
  <h1>{{ invoice.description }}</h1>
  <div class="amount">{{ amount }}</div>
  <div class="code">
    {{ code|safe }}
    <div class="done">
      <svg viewBox="0 0 100 100" fill="none" stroke-width="8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
        <g class="check" stroke="#12915a"><circle cx="50" cy="50" r="44"/><path d="M30 52l14 14 27-30"/></g>
        <g class="cross" stroke="#67718a"><circle cx="50" cy="50" r="44"/><path d="M50 26v26l16 12"/></g>
      </svg>
    </div>
  </div>
  <p class="status" role="status"><i></i><span id="status"></span></p>
  <div class="ways">
    <a class="wallet" href="lightning:{{ bolt11 }}">Open in wallet</a>
    <div class="text"><input id="bolt11" readonly value="{{ bolt11 }}" aria-label="Invoice"><button id="copy" type="button">Copy</button></div>
  </div>
  <p class="again">No payment came in time. <a href="./">New invoice</a></p>
</main>
<script nonce="{{ nonce }}">
"use strict";
const order = document.getElementById("order"), words = document.getElementById("status"), text = document.getElementById("bolt11");
const said = { unpaid: "Waiting for the payment", paid: "Paid. Thank you!", expired: "Expired" };

function show(status) {
  order.dataset.status = status;
  words.textContent = said[status] || status;
}

async function watch() {
  while (order.dataset.status === "unpaid") {
    try {
      const answer = await fetch(order.dataset.order + "/status?wait");
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.text());
    } catch (error) {
      words.textContent = "No connection to the shop: trying again";
      await new Promise(resolve => setTimeout(resolve, 2000));
    }
  }
}

document.getElementById("copy").onclick = async event => {
  text.select();
  try { await navigator.clipboard.writeText(text.value); } catch (error) { document.execCommand("copy"); }
  event.target.textContent = "Copied";
};

show(order.dataset.status);
watch();
</script>
</body>
</html>
"""

plugin.add_option("shop-host", "127.0.0.1", "The address on which the shop is served.")
plugin.add_option("shop-port", 5000, "The port on which the shop is served; 0 picks a free one, which the log names.", "int")
plugin.add_option("shop-amount", "1000sat", "What is to be paid: an amount with msat, sat or btc.")
plugin.add_option("shop-description", "A thing from the shop", "What is sold: shown on the page and written into the invoice.")
plugin.add_option("shop-expiry", 900, "How many seconds there are to pay.", "int")
plugin.run()
