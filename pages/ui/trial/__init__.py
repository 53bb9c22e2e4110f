"""The parts of the Trial page: draw, upload, beat the machine, keep."""
