"""Bestand des Lagers."""


class Lagerbestand:
    """Was im Lager liegt, nach Artikelnummer."""

    def __init__(self) -> None:
        self._mengen = {}

    def artikel_hinzufügen(self, nummer, menge):
        """Fügt dem Bestand eine Menge hinzu; negative Mengen sind nicht erlaubt."""
        if menge < 0:
            raise ValueError("Die Menge darf nicht negativ sein")
        self._mengen[nummer] = self._mengen.get(nummer, 0) + menge

    def artikel_entnehmen(self, nummer, menge):
        # Überprüfen, ob genügend Stück vorhanden sind.
        if self._mengen.get(nummer, 0) < menge:
            raise LookupError("Nicht genügend Stück auf Lager")
        self._mengen[nummer] -= menge
