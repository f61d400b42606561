"""Adversarial and safety packs: what is attacked, how an attack is worded and disguised, and what came of it.

`transforms` rewrite a text; `model` is a pack as its file has it; `expand` makes cases of it; `findings`, `coverage`
and `sarif` tell what a run showed. Goals are harmless by design (write a code word, call a test tool), so that every
success can be proved without a judge.
"""
