// The project that somebody works on in `day.test.mjs`, and that the pictures of the README show.
export const PROJECT = {
  'README.md': '# Books\n\nA small ledger.\n',
  'ledger/accounts.py': `"""Accounts and what is booked on them."""

from dataclasses import dataclass, field


@dataclass
class Account:
    """Somebody who pays or is paid."""

    name: str
    limit_cents: int = 0


@dataclass
class Ledger:
    """Money that came and went."""

    payments: list[tuple[Account, int, str]] = field(default_factory=list)

    def record_payment(self, account: Account, cents: int, memo: str = "") -> None:
        """Note a payment; a negative one was paid out."""
        if cents < -account.limit_cents:
            raise OverLimitError(account, cents)
        self.payments.append((account, cents, memo))

    def outstanding_balance(self, account: Account) -> int:
        """What is still owed, in cents."""
        return sum(cents for payer, cents, _ in self.payments if payer is account)


class OverLimitError(ValueError):
    """More was paid out than the account allows."""
`,
  'ledger/reports.py': `"""Reports for the end of a month."""

from ledger.accounts import Account, Ledger


def monthly_report(ledger: Ledger, accounts: list[Account]) -> str:
    """One line an account, the largest debt first."""
    lines = []
    for account in accounts:
        owed =
    return "\\n".join(lines)
`,
  'use.py': `from ledger.accounts import Account, Ledger

rent = Account("rent")
ledger = Ledger()
ledger.record_payment(rent, 90000)
`,
  'web/money.ts': `/** Cents as people write them. */
export function formatMoney(cents: number): string {
  return (cents / 100).toFixed(2);
}
`,
};
