import importlib

import pytest
from pydantic import BaseModel, ValidationError

from evalwright.core.component import Bindable
from evalwright.targets.catalog import TARGETS


def options_of(name):
    module, _, attribute = TARGETS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def models_in(options):
    """The option class and the ones nested in it."""
    annotations = [field.annotation for field in options.model_fields.values()]
    nested = [part for whole in annotations for part in (whole, *getattr(whole, "__args__", ()))]
    return [options, *(item for item in nested if isinstance(item, type) and issubclass(item, BaseModel))]


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_is_a_documented_option_class(name):
    options = options_of(name)
    assert issubclass(options, BaseModel)
    assert issubclass(options, Bindable)
    first = (options.__doc__ or "").splitlines()[0]
    assert first.endswith(".")
    assert 20 < len(first) < 110


@pytest.mark.parametrize("name", TARGETS)
def test_every_option_is_described_and_unknown_ones_are_refused(name):
    for model in models_in(options_of(name)):
        for field_name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{field_name}"
            assert field.description.endswith("."), f"{model.__name__}.{field_name}"
        with pytest.raises(ValidationError) as raised:
            model.model_validate({"no_such_option": 1})
        assert "extra_forbidden" in {error["type"] for error in raised.value.errors()}


@pytest.mark.parametrize("name", TARGETS)
def test_every_option_has_a_json_schema(name):
    schema = options_of(name).model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert "type" not in schema["properties"]
