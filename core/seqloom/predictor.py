"""A trained model in use: from a folder of files to texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from seqloom.build import Builder, Kit
from seqloom.catalog import Catalog
from seqloom.config import DecodeConfig
from seqloom.device import Device, choose_device
from seqloom.errors import CorruptError, PluginError, UsageError, unknown_name
from seqloom.hooks import Options
from seqloom.inputs import Given, located_inputs
from seqloom.jobfile import Job, job_from_dict
from seqloom.keys import made
from seqloom.model import Seq2Seq
from seqloom.pins import check_pins, missing_since, read_pins
from seqloom.registry.records import Model
from seqloom.session import OpenSession
from seqloom.storage import load_tensors, read_json, verify_folder
from seqloom.stream import Decoding, decode_stream
from seqloom.task import Prediction


class Predictor:
    """A model with all that it takes to use it.

    Attributes:
        job: What it was trained by.
        kit: Its task, modalities and tokenizers.
        model: On its device, in evaluation mode.
        decode: How it searches unless told otherwise.
        device: Where it computes.
        uri: Where it came from: a folder, or ``models:/name/3``.
        sha256: Of the manifest of its folder: what it is.
        steps: Optimiser steps that it has seen.
    """

    def __init__(
        self,
        job: Job,
        kit: Kit,
        model: Seq2Seq,
        decode: DecodeConfig,
        *,
        device: Device,
        uri: str,
        sha256: str,
        steps: int,
    ) -> None:
        self.job = job
        self.kit = kit
        self.model = model.to(device.device).eval()
        self.decode = decode
        self.device = device
        self.uri = uri
        self.sha256 = sha256
        self.steps = steps

    @classmethod
    def load(
        cls,
        folder: Path,
        catalog: Catalog,
        *,
        device: str = "auto",
        dtype: str = "auto",
        record: Model | None = None,
    ) -> Predictor:
        """Loads a model folder; needs no registry.

        Args:
            folder: Where it is.
            catalog: What the installed plugins provide.
            device: auto, cpu or cuda.
            dtype: auto, fp32, bf16 or fp16.
            record: As what it is registered, if at all.

        Raises:
            CorruptError: A file is not what was saved, or the model not the registered one.
            PluginError: The model needs a plugin that is not there, or another version of one.
            ConfigError: The device is not there.
        """
        digest = verify_folder(folder)
        if record is not None and digest != record.sha256:
            raise CorruptError(f"{folder}: this is another model than was registered as {record.uri}")
        saved = read_json(folder / "config.json")
        job = _job(saved, catalog, folder, str(folder) if record is None else record.uri)
        builder = Builder(job.config, catalog)
        kit = builder.kit(builder.load_tokenizers(folder / "tokenizers"))
        model = builder.model(kit)
        try:
            model.load_weights(load_tensors(folder / "model.safetensors"))
        except ValueError as error:
            raise CorruptError(f"{folder / 'model.safetensors'}: {error}") from error
        decode = DecodeConfig(**read_json(folder / "generation_config.json"))
        chosen = choose_device(device, dtype)
        uri = str(folder) if record is None else record.uri
        return cls(job, kit, model, decode, device=chosen, uri=uri, sha256=digest, steps=saved["steps"])

    def predict(self, inputs: Sequence[Given], **options: Any) -> list[str]:
        """The best output of each input, as text.

        Args:
            inputs: A text each, or a file; for a task of several inputs, a dictionary of slots. A folder or
                a pattern (``photos/*.jpg``) stands for an input for each of its files.
            options: Keys of :class:`seqloom.config.DecodeConfig`, as ``beam=5``; or flags of the task's
                verb, as ``piece_s=10``.

        Raises:
            UsageError: What is given is not such a list, or there is no such option.
            DataError: An input cannot be used, or a file is not there.
        """
        text = self.kit.task.text
        return [text(found.hypotheses[0]) for found in self.decode_all(inputs, **options)]

    def decode_all(self, inputs: Iterable[Given], **options: Any) -> Iterator[Prediction]:
        """Like :meth:`predict`, with all hypotheses and their scores, as they come."""
        if isinstance(inputs, str | bytes | dict):
            raise UsageError("give a list of inputs; for a single one, a list of one")
        located = located_inputs(inputs, self.kit.slots, "<inputs>")
        return decode_stream(located, self._asked(options))

    def session(self, **options: Any) -> OpenSession:
        """A conversation with the model, or whatever else goes on from input to input.

        Args:
            options: As :meth:`predict` takes them.

        Raises:
            UsageError: Inputs of the model's task stand alone, or there is no such option.
        """
        session = self.kit.task.session()
        if session is None:
            name = self.job.config.task.name
            raise UsageError(f"each input of {name} stands alone; use predict")
        return OpenSession(session, self._asked(options))

    def _asked(self, options: dict[str, Any]) -> Decoding:
        """What decodes as :meth:`predict` was asked to."""
        own = type(self.kit.flags).model_fields.keys() - DecodeConfig.model_fields.keys()
        flags = made(type(self.kit.flags), {name: options.pop(name) for name in own & options.keys()})
        return self.decoding(self.decode_config(**options), flags)

    def decoding(self, options: DecodeConfig, flags: Options) -> Decoding:
        """What decodes, for :func:`seqloom.stream.decode_stream`.

        Args:
            options: How to search, as far as flags do not ask for more.
            flags: The verb's own.
        """
        return Decoding(
            model=self.model,
            task=self.kit.task,
            modalities=self.kit.modalities,
            options=self.kit.task.configure(flags, options),
            flags=flags,
            device=self.device,
        )

    def decode_config(self, **options: Any) -> DecodeConfig:
        """The model's own decoding with some keys changed.

        Raises:
            UsageError: There is no such key, or it cannot have that value.
        """
        for name in options.keys() - DecodeConfig.model_fields.keys():
            raise UsageError(unknown_name("decoding option", name, DecodeConfig.model_fields))
        merged = self.decode.model_dump() | options
        if "beam" not in options:
            merged["beam"] = max(merged["beam"], merged["n_best"])
        return made(DecodeConfig, merged)


def _job(saved: Any, catalog: Catalog, folder: Path, name: str) -> Job:
    """What a model was trained by, once the plugins are known to be those that it was trained with."""
    pins = read_pins(saved, folder / "config.json")
    check_pins(pins or (), catalog, f"model {name}")
    try:
        return job_from_dict(saved["job"], catalog, folder)
    except PluginError as error:
        hint = missing_since(saved["versions"], catalog) if pins is None else ""
        raise PluginError(f"{error}{hint}") from None
