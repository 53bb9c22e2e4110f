"""The parts of the Adapt page, in the order in which it shows them."""
