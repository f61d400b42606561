"""The API keeps its own description: schemathesis asks every operation with generated requests."""

import pytest

from evalwright.server.settings import Limits, ServerSettings
from tests.server.conftest import Server
from tests.server.live import listening

schemathesis = pytest.importorskip("schemathesis", reason='pip install "evalwright[e2e]"')

pytestmark = pytest.mark.slow

EXAMPLES = 12
LEFT_OUT = {"GET /api/v1/projects/{project}/runs/{run}/live": "a stream that ends when the run does"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A server with an admin's token, and its description."""
    limits = Limits(requests_per_min=0, sign_ins_per_min=0)
    server = Server(ServerSettings(workspace=tmp_path_factory.mktemp("contract") / "ws", limits=limits))
    program = server.program("ada", "admin", admin=True)
    with listening(server.app) as address:
        yield server, address, program.headers
    server.state.close()


def operations():
    from evalwright.server.app import description

    found = description()
    return found, [
        (method.upper(), path)
        for path, methods in sorted(found["paths"].items())
        for method in sorted(methods)
        if f"{method.upper()} {path}" not in LEFT_OUT
    ]


DESCRIPTION, OPERATIONS = operations()


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value.replace("/api/v1", ""))
@pytest.mark.filterwarnings("ignore")
def test_an_operation_keeps_its_description(asked, method, path):
    from hypothesis import HealthCheck, Phase, given, settings

    _, address, headers = asked
    schema = schemathesis.openapi.from_dict(DESCRIPTION)
    schema.config.base_url = address
    operation = schema[path][method]
    checks = [
        schemathesis.checks.CHECKS.get_one(name)
        for name in ("not_a_server_error", "status_code_conformance", "content_type_conformance",
                     "response_schema_conformance")
    ]  # fmt: skip

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def run(case):
        if case.path_parameters and "project" in case.path_parameters:
            case.path_parameters["project"] = "default"
        if path.endswith("/me/tokens/{token_id}") and method == "DELETE":
            case.path_parameters["token_id"] = "none"
        if path.endswith("/users/{username}"):
            case.path_parameters["username"] = "nobody"
        case.call_and_validate(headers=headers, checks=checks)

    run()
