"""Never lose an invoice, never issue it twice: proof by breaking it."""
