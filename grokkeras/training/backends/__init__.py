"""How one call of many steps is compiled, one file a backend."""
