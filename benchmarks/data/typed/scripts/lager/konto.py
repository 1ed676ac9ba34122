"""Benutzerkonten."""


def benutzer_löschen(datenbank, kennung):
    """Löscht das Konto eines Benutzers und beendet seine Sitzungen."""
    for sitzung in datenbank.sitzungen(kennung):
        sitzung.beenden()
    datenbank.entfernen(kennung)


def passwort_zurücksetzen(konto):
    # Schickt einen Link, der nach einer Stunde abläuft.
    konto.sende_link(gültigkeit=3600)
