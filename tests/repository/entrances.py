"""A contract for import-linter: from outside a room its entrance is imported, nothing else."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

# Its modules are what the generator makes of the files: they are the contract themselves.
GENERATED = "maim_protocol.v1"


class EntrancesContract(Contract):
    """Every package below a root is a room; its `__init__` is the entrance."""

    type_name = "entrances"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find imports that reach past an entrance."""
        roots = set(self.session_options["root_packages"])
        modules = {module for module in graph.modules if module.partition(".")[0] in roots}
        past = [
            f"{importer} -> {imported} (enter by {room})"
            for importer in sorted(modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported in modules and (room := passed_entrance(importer, imported))
        ]
        return ContractCheck(kept=not past, metadata={"past": past})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name them."""
        past: list[Any] = check.metadata["past"]
        for line in past:
            output.print_error(line)


def passed_entrance(importer: str, imported: str) -> str | None:
    """Return the outermost room that an import enters past its entrance; None: it does not."""
    parts = imported.split(".")
    for length in range(2, len(parts)):
        room = ".".join(parts[:length])
        outside = importer != room and not importer.startswith(f"{room}.")
        if outside and room != GENERATED:
            return room
    return None
