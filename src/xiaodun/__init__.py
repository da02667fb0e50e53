"""Xiaodun 校盾: a fact is typed once; everything else is derived."""

__version__ = "0.1.0"
