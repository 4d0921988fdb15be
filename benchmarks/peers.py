"""Makes a virtual environment for each peer that Seqloom is measured beside.

Usage: python benchmarks/peers.py [PEER ...]        (all of them take some minutes)

They lie in the folder that SEQLOOM_BENCH names, by default ``seqloom-bench`` in the system's folder for
temporary files. Each borrows the torch of the Python that runs this script, so that all sides compute with
the same build; where a peer's pins ask for another one, pip gives it that one. A peer that is not made is
shown by the benchmarks as not installed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

WORKSPACE = Path(os.environ.get("SEQLOOM_BENCH") or Path(tempfile.gettempdir()) / "seqloom-bench")
PEERS = {
    "transformers": ["transformers==5.23.0", "safetensors", "numpy"],
    "ctranslate2": ["ctranslate2==4.8.5", "safetensors", "numpy"],
    "joeynmt": ["joeynmt==2.3.0", "importlib_metadata"],  # it imports the second without saying so
    "eole": ["eole==0.6.4", "aiohttp"],  # likewise
    "mlflow": ["mlflow==3.17.2"],
}

WITHOUT_TORCH = {"ctranslate2", "mlflow"}
"""Peers that compute by themselves or not at all, and would only be the bigger for it."""


def python_of(peer: str) -> Path | None:
    """The Python of a peer's environment; None where the peer is not installed."""
    folder = WORKSPACE / "peers" / peer
    return folder / "bin" / "python" if (folder / ".ready").exists() else None


def make(peer: str, torch: Path) -> None:
    """Makes a peer's environment, whose modules are looked for in ``torch`` last."""
    folder = WORKSPACE / "peers" / peer
    venv.create(folder, clear=True, with_pip=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    if peer not in WITHOUT_TORCH:
        (packages / "borrowed.pth").write_text(f"{torch}\n")
    log = folder / "pip.log"
    with log.open("w") as file:
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
        done = subprocess.run([*pip, *PEERS[peer]], stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"{peer}: pip failed; its log: {log}")
    (folder / ".ready").touch()


def borrow_torch() -> Path:
    """A folder of links to our torch and to all that it requires, and to nothing else that is ours."""
    folder = WORKSPACE / "peers" / "torch"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    libraries = [
        each for each in distributions() if each.name.startswith("nvidia-")
    ]  # extras of a CUDA build
    for package in [*_required("torch", {}).values(), *libraries]:
        for entry in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
            link = folder / entry
            if not link.exists():
                link.symlink_to(Path(str(package.locate_file(entry))))
    return folder


def _required(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """A distribution and all that it needs, by name, as far as they are installed."""
    try:
        found[name] = distribution(name)
    except PackageNotFoundError:  # for another system, or an extra
        return found
    for requirement in found[name].requires or []:
        needed = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if "extra ==" not in requirement and needed not in found:
            _required(needed, found)
    return found


def main() -> None:
    """Makes the environments that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("peers", nargs="*", metavar="PEER", help=", ".join(PEERS))
    asked = parser.parse_args().peers or list(PEERS)
    if unknown := set(asked) - set(PEERS):
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are: {', '.join(PEERS)}")
    torch = borrow_torch()
    for peer in asked:
        make(peer, torch)
        print(f"{peer}: {python_of(peer)}")


if __name__ == "__main__":
    main()
