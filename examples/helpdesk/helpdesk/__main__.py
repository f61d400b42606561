"""Ask from the command line: ``python -m helpdesk "How long is the trial?"``."""

import argparse
import sys

from helpdesk.assistant import Assistant
from helpdesk.errors import HelpdeskError
from helpdesk.llm import Endpoint


def main(arguments: list[str] | None = None) -> int:
    """Print the answer, its confidence and the passages found."""
    parser = argparse.ArgumentParser(prog="python -m helpdesk", description="Ask the Quillhour help desk")
    parser.add_argument("question")
    parser.add_argument("--locale", choices=["en", "de", "es"], help="guessed from the question when missing")
    options = parser.parse_args(arguments)
    try:
        reply = Assistant(endpoint=Endpoint.from_env()).answer(options.question, locale=options.locale)
    except HelpdeskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(reply.answer)
    print(f"\nconfidence {reply.confidence:.2f}; found:", file=sys.stderr)
    for hit in reply.passages:
        print(f"  {hit.score:6.2f}  {hit.passage.id}  {hit.passage.heading}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
