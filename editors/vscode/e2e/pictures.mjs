// The pictures of the README, from a real VS Code with the real model.
import { join } from 'node:path';
import { EXTENSION, GIVEN, open, until } from './world.mjs';

const FILES = {
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
        owed = ledger.out
    return "\\n".join(lines)
`,
};

async function picture(name, theme, size, act) {
  const world = await open({ files: FILES, theme, size });
  try {
    await world.workbench();
    await world.waitForStatus(/ready, \d files/);
    await act(world);
    // Fonts and icons are loaded, carets and progress are still.
    await world.page.waitForTimeout(800);
    await world.page.screenshot({ path: join(GIVEN.pictures ?? join(EXTENSION, 'media'), `${name}.png`), animations: 'disabled', caret: 'hide' });
    console.log(name);
  } finally {
    await world.close();
  }
}

async function suggestion(world) {
  await world.openFile('reports.py');
  await world.page.locator('.editor-instance .view-line', { hasText: 'ledger.out' }).click();
  await world.page.keyboard.press('End');
  await world.page.keyboard.press('Backspace');
  await world.page.keyboard.type('t', { delay: 40 });
  await world.waitForGhost();
}

async function ask(world, question) {
  await world.run('codemoat: Open Chat');
  const chat = await world.view('#question');
  await chat.locator('#question').fill(question);
  await chat.locator('#question').press('Enter');
  await chat.locator('article[data-state=done]').last().waitFor();
  return chat;
}

const wide = { width: 1180, height: 740 };
await picture('chat-light', 'light', wide, async (world) => {
  await suggestion(world);
  await world.page.keyboard.press('Tab');
  await world.saved('ledger/reports.py');
  const chat = await ask(world, 'What happens when more is paid out than an account allows?');
  await chat.locator('.citation').first().click();
  await world.page.waitForSelector('.tab.active[data-resource-name="accounts.py"]');
});
await picture('suggestion-dark', 'dark', wide, async (world) => {
  await world.run('codemoat: Why This Suggestion, or None');
  await world.view('#question');
  await suggestion(world);
  const rows = world.page.locator('.pane', { hasText: 'Why' }).locator('.monaco-list-row');
  await until(async () => (await rows.allTextContents()).some((row) => /accounts\.py/.test(row)), 'the rows');
});
await picture('search-dark', 'dark', wide, async (world) => {
  await world.openFile('reports.py');
  await world.run('codemoat: Search by Meaning');
  const search = await world.view('#query');
  await search.locator('#query').fill('how much money does somebody owe');
  await search.locator('.hit').first().waitFor();
});
await picture('chat-narrow', 'high-contrast', { width: 560, height: 740 }, async (world) => {
  const chat = await ask(world, 'Which function computes what an account still owes?');
  await chat.locator('summary').click();
});
