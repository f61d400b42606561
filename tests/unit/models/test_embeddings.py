import base64

import numpy as np
import pytest

from evalwright.core.errors import ConfigError, TargetError
from evalwright.models.embeddings import EmbeddingClient, EmbeddingSpec
from tests.unit.models.service import answering, serving


def body(vectors, packed=False):
    def shape(vector):
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode() if packed else vector

    data = [{"index": index, "embedding": shape(vector)} for index, vector in enumerate(vectors)]
    return {"data": data[::-1], "model": "e-1", "usage": {"prompt_tokens": 3, "total_tokens": 3}}


async def embed(url, texts, **options):
    client = EmbeddingClient(EmbeddingSpec(model="e-1", base_url=url, **options), {})
    try:
        return await client.embed(texts)
    finally:
        await client.close()


@pytest.mark.parametrize("packed", [False, True])
async def test_vectors_come_in_the_order_of_the_texts(packed):
    async with serving(answering(body([[1, 0], [0, 1]], packed))) as service:
        found = await embed(f"{service.url}/v1", ["a", ""], dimensions=2)
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, [[1, 0], [0, 1]])
    assert found.usage.input_tokens == 3
    assert service.seen[0].json["input"] == ["a", " "]
    assert service.seen[0].json["dimensions"] == 2


async def test_many_texts_go_in_several_requests():
    async with serving(answering(body([[1, 2]]))) as service:
        found = await embed(service.url, ["a", "b", "c"], batch=1)
    assert found.vectors.shape == (3, 2)
    assert found.usage.input_tokens == 9
    assert len(service.seen) == 3


async def test_no_texts_need_no_request():
    assert (await embed("http://127.0.0.1:9", [])).vectors.shape == (0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": []},
        {"data": [{"embedding": [1]}, {"embedding": [1]}]},
        {"data": [{"embedding": []}]},
        {"data": [{"embedding": ["x"]}]},
        {"data": [{"embedding": "???"}]},
        {"data": [{"embedding": [1e400]}]},
        {"data": [{}]},
        b"nonsense",
    ],
)
async def test_an_answer_without_one_vector_for_each_text_is_malformed(answer):
    async with serving(answering(answer)) as service:
        with pytest.raises(TargetError) as raised:
            await embed(service.url, ["a"])
    assert raised.value.kind == "malformed"


def test_options_are_checked():
    with pytest.raises(ConfigError):
        EmbeddingClient(EmbeddingSpec(model="e", base_url="nowhere"), {})
    with pytest.raises(ConfigError, match="at least 1"):
        EmbeddingClient(EmbeddingSpec(model="e", batch=0), {})
