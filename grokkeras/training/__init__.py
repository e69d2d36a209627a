"""The training loop: when to stop and look, the order of examples, many steps in one call."""
