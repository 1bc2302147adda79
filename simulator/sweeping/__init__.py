"""Sweeps: many configurations by any launcher, each in a folder of its own, that can be stopped and called again."""
