// What a host would send to the views, and what an attacker would put into it.

export function place(path, first, last) {
  return { uri: `file:///books/${path}`, path, range: { start: { line: first - 1, character: 0 }, end: { line: last, character: 0 } } };
}

const FENCE = '```';
export const ANSWER = `The balance is the **sum** of what was paid to an account [ledger.py:8-10].

${FENCE}python
def outstanding_balance(self, account):
    """What is still owed."""
    return sum(cents for name, cents, _ in self.payments if name == account)  # all of it
${FENCE}

1. \`record_payment\` notes a payment.
2. The sum is made when it is asked for.

| field | holds |
|---|---|
| cents | an amount |
`;
export const SOURCES = [
  { number: 1, symbol: 'Ledger.outstanding_balance', origin: 'index', ...place('ledger.py', 8, 10) },
  { number: 2, symbol: null, origin: 'editor', ...place('src/a/very/long/path/to/some/module_of_accounts.py', 1, 200) },
];

export function answer(text = ANSWER, more = {}) {
  const citations = [{ text: '[ledger.py:8-10]', ...place('ledger.py', 8, 10) }];
  return {
    conversation: 'c1', title: 'Where is the balance?', created: 1.7e9, updated: 1.7e9, questions: 1, answer: text, sources: SOURCES,
    citations, model: 'm', stopReason: 'stop', dropped: 0, unverified: ['nonsense_name'], notSaved: '', ...more,
  }; // prettier-ignore
}

export function hit(path, text, more = {}) {
  const shown = { matchLine: 8, preview: [{ line: 7, text }] };
  return { ...place(path, 8, 10), language: 'python', symbol: 'Ledger', ...shown, text, score: 1, reasons: { words: 1 }, ...more };
}

/** Texts that would run something if they were taken for HTML, or for a Markdown that allows too much. */
export const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<details open ontoggle=alert(1)>x</details>',
  '<a href="javascript:alert(1)">x</a>',
  '<form action="javascript:alert(1)"><button>x</button></form>',
  '<style>@import "http://127.0.0.1:9/x.css";</style>',
  '<link rel=stylesheet href=http://127.0.0.1:9/x.css>',
  '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
  '<base href=http://127.0.0.1:9/>',
  '<object data="javascript:alert(1)"></object>',
  '<input autofocus onfocus=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<template><img src=x onerror=alert(1)></template>',
  '"><img src=x onerror=alert(1)>',
  "'onmouseover='alert(1)",
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java&#115;cript:alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[x](vbscript:msgbox(1))',
  '[x](command:workbench.action.terminal.new)',
  '[x](vscode://file/etc/passwd)',
  '[x](file:///etc/passwd)',
  '![x](http://127.0.0.1:9/track.png)',
  '![x](javascript:alert(1))',
  '<javascript:alert(1)>',
  '[x]: javascript:alert(1)\n\n[x]',
  '[x](http://127.0.0.1:9/ "onmouseover=alert(1)")',
  `${FENCE}"><img src=x onerror=alert(1)>\ncode\n${FENCE}`,
  `${FENCE}html\n<img src=x onerror=alert(1)><script>alert(1)</script>\n${FENCE}`,
  `${FENCE}python\nx = "</code></pre><img src=x onerror=alert(1)>"\n${FENCE}`,
  `${FENCE}html"onmouseover="alert(1)\n<b>\n${FENCE}`,
  '`<img src=x onerror=alert(1)>`',
  '| <img src=x onerror=alert(1)> |\n|---|\n| <svg onload=alert(1)> |',
  '&lt;img src=x onerror=alert(1)&gt;',
  '\u0000<scr\u0000ipt>alert(1)</scr\u0000ipt>',
  '<<img src=x onerror=alert(1)>>',
  '</main></body><script>alert(1)</script>',
  '<p id=root></p><p id=send>',
  '<a id=harness><a id=harness name=send href=x>',
  '<div class="citation">Open</div>',
];
