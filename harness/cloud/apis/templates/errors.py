"""What is wrong with a template, or with what it does."""


class TemplateError(Exception):
    """The template cannot be read, or asks for what there is not. The text says which, and where."""
