"""Widgets and pictures that pages share."""
