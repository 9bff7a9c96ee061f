"""The router: connection map, authentication, handlers and the control API."""
