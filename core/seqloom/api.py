"""Seqloom from Python: train a job, load a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqloom.catalog import Catalog
from seqloom.errors import UsageError
from seqloom.jobfile import load_job
from seqloom.jobs import Trained, train_job
from seqloom.predictor import Predictor
from seqloom.registry.store import Registry, runs_folder
from seqloom.site import Site, open_model


def train(job: str | Path, *, overrides: Sequence[str] = (), registry: str | None = None) -> Trained:
    """Trains what a job file says, and registers the model.

    Args:
        job: The job file.
        overrides: As on the command line: ``["train.steps=500"]``.
        registry: URL of the registry; None as on the command line.
    """
    if isinstance(overrides, str):
        raise UsageError(f"overrides is a list, as ['{overrides}']")
    catalog = Catalog.from_environment()
    with Registry(registry) as opened:
        return train_job(load_job(Path(job), catalog, overrides), Site(catalog, opened, runs_folder()))


def load(
    model: str | Path, *, device: str = "auto", dtype: str = "auto", registry: str | None = None
) -> Predictor:
    """Loads a model to predict with.

    Args:
        model: A model folder (needs no registry), or ``models:/name/3``, ``models:/name@alias``,
            or ``runs:/ID`` for what a run made.
        device: auto, cpu or cuda.
        dtype: auto, fp32, bf16 or fp16.
        registry: URL of the registry; None as on the command line.
    """
    catalog = Catalog.from_environment()
    if Path(model).is_dir():
        return Predictor.load(Path(model).absolute(), catalog, device=device, dtype=dtype)
    with Registry(registry) as opened:
        return open_model(str(model), Site(catalog, opened, runs_folder()), device=device, dtype=dtype)
