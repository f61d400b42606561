"""The vocabulary of an evaluation: frozen records and protocols, no I/O, no clock, no randomness.

Read the files in the order an evaluation runs: `case`, `target`, `output`, `scorer`, `score`, `estimate`, `gate`,
`suite`, `run`, `result`; beside them `identity` (content hashes), `ports` (what the outside must provide) and `errors`.
"""
