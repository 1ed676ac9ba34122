"""Write the catalogue's table into docs/models.md. Run it after a change of the catalogue; a test sees to that."""

from __future__ import annotations

import sys
from pathlib import Path

from assistant.models.catalogue import HubSource, ModelEntry, load_catalogue

PAGE = Path(__file__).parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- catalogue: begin (made by scripts/models_table.py) -->", "<!-- catalogue: end -->"
_KNOWN_BY = {"measured": "measured", "family": "as its family", "card": "by model card"}
HEAD = (
    "| name | model | size | context | can | licence | commercial use | source | checked |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def table() -> str:
    """The catalogue as a Markdown table."""
    return HEAD + "".join(_row(entry) for entry in load_catalogue())


def filled(page: str) -> str:
    """The page with the table between its marks renewed."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}{END}{after}"


def _row(entry: ModelEntry) -> str:
    hub = next(source for source in entry.sources if isinstance(source, HubSource))
    cells = (
        f"`{entry.name}`",
        f"{entry.title}, {entry.quantisation}",
        f"{'' if entry.verified else '≈ '}{entry.size / 1e9:.2f} GB",
        f"{entry.context:,}",
        " + ".join(
            [f"fill ({entry.fim_layout}, {_KNOWN_BY[entry.fim_source]})"] * entry.fim + ["chat"] * entry.chat,
        ),
        entry.licence,
        ("yes" if entry.commercial else "**no**") + (f". {entry.licence_note}" if entry.licence_note else ""),
        f"`{hub.repo}`" + (", wheels" if len(entry.sources) > 1 else ""),
        "sha256 pinned" if entry.verified else "unverified",
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is current.\n")
