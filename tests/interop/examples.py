"""The example plugins of contrib/plugins, and with which library each of them is run."""

import os
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "contrib" / "plugins"


class Library:
    """A Python environment with one of the libraries for plugins."""

    def __init__(self, name, environment, options):
        self.name = name
        self.environment = environment
        # What a node needs for it. pylightning's requests are deprecated, and the fixtures run nodes where that is off.
        self.options = options

    def choose(self, monkeypatch):
        """Nodes started from now on find this environment's python3, and so do their plugins."""
        monkeypatch.setenv("PATH", os.path.join(self.environment, "bin") + os.pathsep + os.environ["PATH"])


PYLN = Library("pyln-client", os.environ["PYLN_ENVIRONMENT"], {})
PYLIGHTNING = Library("pylightning", os.environ["PYLIGHTNING_ENVIRONMENT"], {"allow-deprecated-apis": True})

LIBRARIES = [PYLN, PYLIGHTNING]


class Greeter:
    """A plugin with the option greeting and the method `hello [name]`, which answers the text "GREETING NAME". It logs
    "connect: ID" and "disconnect: ID" of its peers.

    dynamic: whether it may be started and stopped while the node runs."""

    def __init__(self, path, library=None, dynamic=True):
        self.path = str(path)
        self.client = library
        self.dynamic = dynamic
        self.name = os.path.basename(self.path)

    def __str__(self):
        return self.name + ("-" + self.client.name if self.client else "")


GREETERS = [
    Greeter(PLUGINS / "hello.sh"),
    Greeter(PLUGINS / "helloworld.py", PYLN),
    # Its manifest has no word for it.
    Greeter(PLUGINS / "helloworld.py", PYLIGHTNING, dynamic=False),
]
# One made with the crate cln-plugin, if it was built.
if "CLN_PLUGIN" in os.environ:
    GREETERS.append(Greeter(os.environ["CLN_PLUGIN"]))
