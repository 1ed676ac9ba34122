"""Rechnungen und Mahnungen."""

MEHRWERTSTEUER = 0.19


def rechnungsbetrag(positionen):
    """Summe aller Positionen mit Mehrwertsteuer."""
    netto = sum(p.preis * p.menge for p in positionen)
    return round(netto * (1 + MEHRWERTSTEUER), 2)


def mahnung_verschicken(kunde, rechnung):
    # Nach vierzehn Tagen wird der Kunde per E-Mail gemahnt.
    kunde.senden(f"Rechnung {rechnung.nummer} ist überfällig")


def größte_rechnung(rechnungen):
    """Die Rechnung mit dem höchsten Betrag."""
    return max(rechnungen, key=lambda r: r.betrag)
