"""How good is the ranking of what was retrieved? Figures per case, by trec_eval's definitions."""
