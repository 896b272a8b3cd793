"""What `lightning-cli plugin new` writes works as it is: in a node, it greets, hears of a peer and is asked about a payment."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from examples import PYLN

HERE = Path(__file__).resolve().parent


def build(project):
    """Compiles a new plugin with the versions that the other plugin in Rust was compiled with."""
    shutil.copy(HERE / "cln-plugin" / "Cargo.lock", project)
    env = dict(os.environ, CARGO_TARGET_DIR=os.environ["INTEROP_RUST"])
    subprocess.run(["cargo", "build", "--quiet", "--offline"], cwd=project, env=env, check=True)
    return os.path.join(os.environ["INTEROP_RUST"], "debug", project.name)


@pytest.mark.parametrize("lang", ["shell", "python", "rust"])
def test_a_new_plugin_works(node_factory, directory, monkeypatch, lang):
    if lang == "rust" and shutil.which("cargo") is None:
        pytest.skip("there is no cargo")
    PYLN.choose(monkeypatch)
    name = "fresh-" + lang
    command = ["lightning-cli", "plugin", "new", name, "--lang", lang]
    told = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout
    made = {"shell": name + ".sh", "python": name + ".py", "rust": name}[lang]
    path = Path(directory) / made
    assert str(path) in told and "plugin start" in told and "plugin reload" in told
    again = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert again.returncode == 3 and "is there already" in again.stderr
    plugin = build(path) if lang == "rust" else str(path)

    l1, l2 = node_factory.line_graph(2)
    l2.rpc.call("plugin", ["start", plugin, name + "-greeting=Moin"])
    assert l2.rpc.call(name + "-hello", ["you"]) == {"text": "Moin you"}
    assert l2.rpc.call(name + "-hello", {"name": "all of you"}) == {"text": "Moin all of you"}
    assert l2.rpc.call(name + "-hello") == {"text": "Moin world"}
    l1.pay(l2, 10_000)
    l2.daemon.wait_for_log("plugin-{}.*: paid: ".format(name))
    l3 = node_factory.get_node()
    l3.connect(l2)
    l2.daemon.wait_for_log("plugin-{}.*: connect: .*{}".format(name, l3.info["id"]))
    l2.rpc.plugin_stop(plugin)
