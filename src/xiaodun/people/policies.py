"""How a person's name is shown to those who may not know whose row it is."""


def mask_name(name: str) -> str:
    """The name with only its first and, from three characters on, its last character: 王*, 王*明."""
    if len(name) <= 2:
        return name[:1] + "*"
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"
