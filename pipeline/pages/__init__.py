"""One module a page: frozen page data built by pure functions from small inputs; templates only lay them out."""
