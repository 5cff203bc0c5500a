"""The simulator's parts; `../simulator` starts them."""
