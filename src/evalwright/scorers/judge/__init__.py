"""Judges: scorers that ask a model, by a rubric, with every reply checked before it counts.

`rubric_file` reads rubrics, `fence` keeps judged text apart from instructions, `prompt` writes what the model is
asked, `reply` reads what it answers, `examine` asks and repairs once, and `pointwise`, `pairwise` and `panel` are
the scorers.
"""
