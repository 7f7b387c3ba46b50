"""A live cluster broken on purpose and watched while it is found out, healed and well again: for a demo, and many times over."""
