"""Systems under test: one file for each kind of target.

`catalog` names them; `answers` turns whatever a system gives back into an `Output`; `adapt.target_from` makes a target
from any Python object.
"""
