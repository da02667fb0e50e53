"""How long what is kept: rules as dated data, a nightly job, legal holds, signed reports."""
