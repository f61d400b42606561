"""Human review: what a reviewer sees, in which order, what counts as a label, how far people agree, who decides."""
