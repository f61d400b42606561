"""Embedding similarity: hashed pieces of words, and an endpoint on loopback."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError
from evalwright.scorers import EmbeddingSimilarity, Groundedness
from evalwright.scorers.base import OptionError
from evalwright.scorers.similarity.embedders import EmbeddingModel
from evalwright.scorers.similarity.embedding import EmbeddingScorer
from evalwright.scorers.similarity.vectors import cosine, hashed_vector
from tests.unit.models.service import answering, serving
from tests.unit.scorers.support import context, judged
from tests.unit.scorers.test_rag import answered


def test_hashed_vectors_follow_the_form_of_words() -> None:
    refund, typing, other = map(hashed_vector, ("refunds take days", "refnds takes day", "blue whales sing"))
    assert np.linalg.norm(refund) == pytest.approx(1.0)
    assert cosine(refund, refund) == pytest.approx(1.0)
    assert cosine(refund, typing) > 0.4
    assert cosine(refund, other) < 0.1
    assert cosine(refund, hashed_vector("…")) == 0.0
    assert cosine(hashed_vector("退款需要五天"), hashed_vector("退款要五天")) > 0.7


def test_without_a_model_words_are_compared() -> None:
    assert judged(EmbeddingSimilarity(), "Refunds take five days", ["x", "refunds take five days!"]).value == 1.0
    assert judged(EmbeddingSimilarity(), "", "x").value == 0.0
    assert judged(EmbeddingSimilarity(), "x").status == "skipped"
    unbound = EmbeddingSimilarity(EmbeddingModel("e-1"))
    with pytest.raises(OptionError, match="bind"):
        unbound.score(context("x", "y"))


def bound(url: str, **options: object) -> EmbeddingScorer:
    made = TypeAdapter(EmbeddingSimilarity).validate_python({"model": {"model": "e-1", "base_url": url, **options}})
    scorer = made.bind(BindContext(base_dir=Path(), environment={"URL": url, "KEY": "k-secret"}))
    assert isinstance(scorer, EmbeddingScorer)
    return scorer


async def test_an_endpoint_is_asked_once_for_each_reference() -> None:
    reply = {"data": [{"index": n, "embedding": v} for n, v in enumerate([[1, 0], [0, 1], [3, 4]])], "model": "e-1"}
    async with serving(answering(reply)) as service:
        scorer = bound(f"{service.url}/v1", api_key="${KEY}")
        await scorer.open()
        try:
            score = await scorer.score(context("answer", ["first", "second"]))
            assert score.value == pytest.approx(0.6)
            assert score.reason == "nearest reference 'second'"
            assert service.seen[0].json["input"] == ["answer", "first", "second"]
            assert (await scorer.score(context(" ", "first"))).value == 0.0
            assert (await scorer.score(context("x"))).status == "skipped"
            assert len(service.seen) == 1
        finally:
            await scorer.close()
    described = scorer.describe()
    assert described["model"] == {"model": "e-1", "base_url": f"{service.url}/v1", "dimensions": None}
    assert "k-secret" not in str(described)


async def test_known_references_are_not_sent_again() -> None:
    reply = {"data": [{"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [1, 1]}], "model": "e-1"}
    async with serving(answering(reply)) as service:
        scorer = bound(service.url)
        try:
            await scorer.score(context("answer", "first"))
            scorer.source.keep({"second": np.array([0, 1], dtype=np.float32)})
            score = await scorer.score(context("answer", ["second", "third"]))
            assert service.seen[1].json["input"] == ["answer", "third"]
            assert score.value == pytest.approx(np.sqrt(0.5))
        finally:
            await scorer.close()


async def test_calls_go_through_the_run_s_meter() -> None:
    class Meter:
        calls = 0

        async def call(self, key: object, send: object) -> object:
            self.calls += 1
            return await send(lambda _: None)  # type: ignore[operator]

    reply = {"data": [{"index": n, "embedding": [1, 0]} for n in range(2)], "usage": {"prompt_tokens": 3}}
    meter = Meter()
    async with serving(answering(reply)) as service:
        scorer = bound(service.url)
        try:
            given = context("a", "b")
            await scorer.score(type(given)(case=given.case, output=given.output, services={"meter": meter}))
        finally:
            await scorer.close()
    assert meter.calls == 1


def test_literal_secrets_are_refused() -> None:
    with pytest.raises(ConfigError, match="secret"):
        bound("http://127.0.0.1:9", api_key="sk-abcdefghijklmnopqrstuvwxyz0123456789")


def test_a_source_of_embeddings_is_named_once() -> None:
    for options in ({}, {"model": "e-1", "path": "models"}):
        made = TypeAdapter(EmbeddingSimilarity).validate_python({"model": options})
        with pytest.raises(ConfigError, match="`model` or a `path`"):
            made.bind(BindContext(base_dir=Path(), environment={}))


async def test_groundedness_gives_a_paraphrase_part_of_its_words_back() -> None:
    claim, sentence = "Money returns within a week", "Refunds take five days."
    plain = judged(Groundedness(), answered(claim, sentence))
    reply = {"data": [{"index": n, "embedding": v} for n, v in enumerate([[1, 0], [4, 3]])], "model": "e-1"}
    async with serving(answering(reply)) as service:
        options = {"embeddings": {"model": "e-1", "base_url": service.url}}
        scorer = TypeAdapter(Groundedness).validate_python(options).bind(BindContext(base_dir=Path(), environment={}))
        await scorer.open()
        try:
            score = await scorer.score(context(answered(claim, sentence), None))
            assert service.seen[0].json["input"] == [claim, sentence]
            assert plain.value is not None
            assert score.value == pytest.approx(plain.value + (1 - plain.value) * 0.5 * 0.6)
            assert (await scorer.score(context(answered("Hello!", sentence), None))).status == "skipped"
            assert len(service.seen) == 1
        finally:
            await scorer.close()
    assert scorer.describe()["embeddings"]["model"] == "e-1"
    with pytest.raises(OptionError, match="bind"):
        judged(Groundedness(embeddings=EmbeddingModel("e-1")), answered(claim, sentence))


@pytest.mark.skipif(importlib.util.find_spec("wordllama") is None, reason="the extra model2vec is not installed")
async def test_the_local_model_gives_a_paraphrase_more_than_words_alone() -> None:
    claim, sentence = "You get money back in five days", "Refunds take five days."
    made = TypeAdapter(Groundedness).validate_python({"embeddings": {"model": "local"}})
    scorer = made.bind(BindContext(base_dir=Path(), environment={}))
    plain = judged(Groundedness(), answered(claim, sentence))
    score = await scorer.score(context(answered(claim, sentence)))
    assert score.value is not None
    assert plain.value is not None
    assert score.value > plain.value
    assert scorer.describe()["embeddings"]["path"] is None
    assert scorer.describe()["embeddings"]["model"].startswith("wordllama ")
