"""The parts of the Prototypes page."""
