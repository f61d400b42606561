"""Embeddings without a network: a model2vec or ONNX model in a folder, or the small one that the extra brings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from evalwright.core.errors import ConfigError, MissingExtra, Problem
from evalwright.core.extras import optional
from evalwright.models.embeddings import Embeddings, Vectors

_LONGEST = 512
_BATCH = 32
_CARRIER = "wordllama"
_WEIGHTS = "wordllama/weights/l2_supercat_256.safetensors"
_TOKENIZER = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"


class Embedder(Protocol):
    """Whatever turns texts into vectors: an endpoint or a model on this machine."""

    async def open(self) -> None:
        """Get ready."""

    async def close(self) -> None:
        """Let go of what was opened."""

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """One vector a text, in their order.

        Raises:
            TargetError: An endpoint failed for good.
        """
        ...


class LocalEmbedder:
    """A model on this machine; loaded at the first use.

    Args:
        folder: Folder of a model2vec model (`model.safetensors`, `tokenizer.json`) or an ONNX one (`model.onnx`,
            `tokenizer.json`); None for the small static model that comes with the extra `model2vec`.

    Raises:
        ConfigError: The folder holds no model of either kind.
        MissingExtra: What reads this kind of model is not installed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._encode = _default() if folder is None else _of_folder(folder)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Unit vectors of the texts; zeros for a text without a known word."""
        vectors = await asyncio.to_thread(self.encode, texts)
        return Embeddings(vectors=vectors, model=self.name)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, shape (n, dimensions)."""
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        return _unit(np.asarray(self._encode(list(texts)), dtype=np.float32))

    @property
    def name(self) -> str:
        """The folder's name, or the default model's with its version."""
        if self.folder is not None:
            return self.folder.name
        return f"{_CARRIER} {metadata.version(_CARRIER)}"


def _unit(vectors: Vectors) -> Vectors:
    sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: Vectors = np.divide(vectors, sizes, out=np.zeros_like(vectors), where=sizes > 0)
    return made


def _of_folder(folder: Path) -> Callable[[list[str]], Any]:
    if not folder.is_dir():
        raise ConfigError([Problem(message=f"there is no folder {folder}", key="path", hint=_WANTED)])
    graphs = sorted(folder.glob("*.onnx")) or sorted(folder.glob("onnx/*.onnx"))
    if graphs:
        return _Onnx(graphs[0], folder / "tokenizer.json")
    if (folder / "model.safetensors").is_file() and (folder / "tokenizer.json").is_file():
        return _static(folder)
    raise ConfigError([Problem(message=f"{folder} holds no model that can be read", key="path", hint=_WANTED)])


_WANTED = (
    "a folder with `model.onnx` and `tokenizer.json` (extra `onnx`), or with a model2vec model: `model.safetensors` "
    "and `tokenizer.json` (extra `model2vec`)"
)


def _static(folder: Path) -> Callable[[list[str]], Any]:
    model2vec = optional("model2vec", extra="model2vec")
    try:
        model = model2vec.StaticModel.from_pretrained(str(folder), force_download=False)
    except Exception as error:  # foreign code on a user's file
        raise ConfigError(
            [Problem(message=f"{folder} can't be read as a model2vec model: {error}", key="path", hint=_WANTED)]
        ) from error
    return lambda texts: model.encode(texts, use_multiprocessing=False)


def _default() -> Callable[[list[str]], Any]:
    """The static model of the package wordllama, read from its files; its own code is not run."""
    model2vec = optional("model2vec", extra="model2vec")
    tokenizers = optional("tokenizers", extra="model2vec")
    safetensors = optional("safetensors.numpy", extra="model2vec")
    weights, tokenizer = _carried(_WEIGHTS), _carried(_TOKENIZER)
    (vectors,) = safetensors.load_file(str(weights)).values()
    reader = tokenizers.Tokenizer.from_file(str(tokenizer))
    model = model2vec.StaticModel(vectors.astype(np.float32), reader, normalize=True)
    return lambda texts: model.encode(texts, use_multiprocessing=False)


def _carried(name: str) -> Path:
    try:
        place = Path(str(metadata.distribution(_CARRIER).locate_file(name)))
    except metadata.PackageNotFoundError:
        raise MissingExtra(_CARRIER, "model2vec") from None
    if not place.is_file():
        raise MissingExtra(_CARRIER, "model2vec")
    return place


class _Onnx:
    """A transformer in ONNX: mean of the last layer over the tokens, or the graph's own sentence vectors."""

    def __init__(self, graph: Path, tokenizer: Path) -> None:
        runtime = optional("onnxruntime", extra="onnx")
        tokenizers = optional("tokenizers", extra="onnx")
        if not tokenizer.is_file():
            raise ConfigError([Problem(message=f"{tokenizer} is missing", key="path", hint=_WANTED)])
        try:
            self._session = runtime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
            self._tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # foreign code on a user's file
            raise ConfigError(
                [Problem(message=f"{graph} can't be read as an ONNX model: {error}", key="path", hint=_WANTED)]
            ) from error
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding()
        self._inputs = {item.name for item in self._session.get_inputs()}

    def __call__(self, texts: list[str]) -> Vectors:
        return np.concatenate([self._some(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)])

    def _some(self, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([item.ids for item in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        found = np.asarray(self._session.run(None, {k: v for k, v in given.items() if k in self._inputs})[0])
        if found.ndim == 2:
            return found.astype(np.float32)
        weights = mask[:, :, None].astype(np.float32)
        return np.asarray((found * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0), dtype=np.float32)
