"""Xiaodun 校盾: a fact is typed once; everything else is derived."""
