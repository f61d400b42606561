"""Clients of model endpoints, secrets and prices: used by targets, judges and simulated users alike.

`secrets` keeps keys out of everything that is written; `transport` sends requests; each dialect file says how one
provider's JSON is written and read; `endpoint` puts them together as a `ChatClient`; `prices` turns tokens into money.
"""
