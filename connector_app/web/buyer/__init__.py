"""The buyer's pages: a document behind a link that cannot be guessed, its files, a proposal of other data."""
