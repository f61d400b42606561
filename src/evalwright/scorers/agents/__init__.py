"""What an agent did: tools called, rules kept, errors recovered from, state reached, and where it broke."""
