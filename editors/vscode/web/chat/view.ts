/** The chat view: a log of turns, a box to ask in, and the history. Draws only what changed, so that keys keep their place. */

import { button, element } from '../dom';
import { rendered, type Actions } from '../markdown';
import type { ChatReply, ChatRequest, Port } from '../messages';
import { historyList } from './history';
import { sourceList } from './sources';
import { busy, EMPTY, next, type ChatState, type Turn } from './state';

interface Drawn {
  turn: Turn;
  root: HTMLElement;
  answer: HTMLElement;
  sources: HTMLElement;
  notes: HTMLElement;
}

export function chatView(root: HTMLElement, port: Port<ChatRequest, ChatReply>): void {
  let state: ChatState = EMPTY;
  let drawn: Drawn[] = [];
  let waits = false;

  const log = element('div', { class: 'log', role: 'log', 'aria-label': 'Conversation', 'aria-live': 'off', tabindex: 0 });
  const empty = emptyNote();
  const history = element('div', { class: 'history', hidden: true });
  const told = element('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
  const title = element('h1', { class: 'title' }, 'New conversation');
  const box = element('textarea', {
    id: 'question', rows: 2, placeholder: 'Ask about this code', 'aria-label': 'Question', 'aria-describedby': 'keys',
  }); // prettier-ignore
  const selection = element('label', { class: 'selection', hidden: true });
  const withSelection = element('input', { type: 'checkbox', checked: true });
  const send = button('Ask', () => ask(), { class: 'primary', id: 'send' });
  const stop = button('Stop', () => port.post({ kind: 'stop' }), { id: 'stop', hidden: true });
  const again = button('Regenerate', () => regenerate(), { id: 'regenerate', hidden: true });
  const actions: Actions = {
    open: ({ uri, range }) => port.post({ kind: 'openPlace', uri, range }),
    copy: (text) => {
      port.post({ kind: 'copy', text });
      say('Copied.');
    },
    insert: (text) => port.post({ kind: 'insert', text }),
  };

  root.append(
    element(
      'header',
      { class: 'bar' },
      title,
      button('History', () => toggleHistory(), { id: 'history', 'aria-expanded': 'false' }),
      button('New', () => port.post({ kind: 'new' }), { id: 'new', 'aria-label': 'New conversation' }),
    ),
    history,
    log,
    element(
      'form',
      { class: 'asking', onsubmit: (event) => event.preventDefault() },
      selection,
      box,
      element('div', { class: 'row' }, again, stop, send),
      element('p', { id: 'keys', class: 'hint' }, 'Enter asks, Shift+Enter: new line, Esc stops'),
    ),
    told,
  );
  log.append(empty);

  box.addEventListener('keydown', (event) => {
    // Enter that ends the writing of a Chinese or Japanese word is not meant for us.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      ask();
    }
  });
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && state.history) {
      closeHistory();
    } else if (event.key === 'Escape' && busy(state)) {
      port.post({ kind: 'stop' });
    }
  });
  port.listen(receive);
  port.post({ kind: 'ready' });
  const kept = port.load() as { conversation?: string } | undefined;
  if (kept?.conversation) {
    port.post({ kind: 'openConversation', conversation: kept.conversation });
  }

  function ask(): void {
    const question = box.value.trim();
    if (question && !busy(state)) {
      const used = !selection.hidden && withSelection.checked;
      box.value = '';
      port.post({ kind: 'ask', question, conversation: state.conversation, withSelection: used });
    }
  }

  function regenerate(): void {
    if (state.conversation && !busy(state)) {
      port.post({ kind: 'regenerate', conversation: state.conversation });
    }
  }

  function receive(reply: ChatReply): void {
    const before = state;
    state = next(state, reply);
    announce(reply);
    if (reply.kind === 'focus') {
      box.value = reply.draft ?? box.value;
      box.focus();
    } else if (reply.kind === 'new') {
      box.focus();
    } else if (reply.kind === 'history' && reply.problems.length > 0) {
      say(reply.problems.join(' '));
    }
    if (state.conversation !== before.conversation) {
      port.save({ conversation: state.conversation });
    }
    // Deltas may come faster than the screen is drawn.
    if (reply.kind !== 'delta') {
      draw();
    } else if (!waits) {
      waits = true;
      requestAnimationFrame(() => {
        waits = false;
        draw();
      });
    }
  }

  function announce(reply: ChatReply): void {
    if (reply.kind === 'asked') {
      say('Looking for code.');
    } else if (reply.kind === 'sources') {
      say(`Answering from ${reply.sources.length} places.`);
    } else if (reply.kind === 'waiting' && reply.text) {
      say(reply.text);
    } else if (reply.kind === 'done') {
      // A screen reader gets an answer once and whole; word by word it would stammer.
      say(reply.answer.answer);
    } else if (reply.kind === 'failed') {
      say(reply.message);
    }
  }

  function say(text: string): void {
    told.textContent = text;
  }

  function draw(): void {
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
    empty.hidden = state.turns.length > 0;
    title.textContent = state.title || 'New conversation';
    // Another conversation has other questions; an answer that grows or is made anew keeps its own.
    const other = drawn.findIndex(({ turn }, index) => turn.question !== state.turns[index]?.question);
    while (other >= 0 && drawn.length > other) {
      drawn.pop()?.root.remove();
    }
    state.turns.forEach((turn, index) => {
      const known = drawn[index];
      if (!known) {
        drawn.push(begin(turn));
        log.append(drawn[index]!.root);
      } else if (known.turn !== turn) {
        fill(known, turn);
      }
    });
    const works = busy(state);
    stop.hidden = !works;
    send.hidden = works;
    again.hidden = works || state.turns.length === 0 || !state.conversation;
    log.setAttribute('aria-busy', String(works));
    selection.hidden = state.selection === null;
    selection.replaceChildren(withSelection, ` Show the selection: ${state.selection ?? ''}`);
    if (atEnd) {
      log.scrollTop = log.scrollHeight;
    }
    drawHistory();
  }

  function begin(turn: Turn): Drawn {
    const answer = element('div', { class: 'answer' });
    const sources = element('div', { class: 'sources' });
    const notes = element('div', { class: 'notes' });
    const tools = element(
      'div',
      { class: 'tools' },
      button('Copy answer', () => actions.copy(made.turn.answer), { class: 'copy-answer' }),
    );
    const root = element(
      'article',
      { 'aria-label': turn.question },
      element('h2', { class: 'question' }, turn.question),
      sources,
      answer,
      notes,
      tools,
    );
    const made: Drawn = { turn, root, answer, sources, notes };
    fill(made, turn, true);
    return made;
  }

  function fill(made: Drawn, turn: Turn, fresh = false): void {
    const old = made.turn;
    made.turn = turn;
    made.root.dataset.state = turn.state;
    if (fresh || old.sources !== turn.sources) {
      made.sources.replaceChildren(...sourceList(turn, actions));
    }
    if (fresh || old.answer !== turn.answer || old.citations !== turn.citations) {
      made.answer.replaceChildren(rendered(turn.answer, turn.citations, actions));
    }
    made.notes.replaceChildren(...turn.notes.map((note) => element('p', {}, note)));
    if (turn.state === 'waiting') {
      const works = turn.sources.length ? 'Reading …' : 'Looking for code …';
      made.notes.replaceChildren(element('p', { class: 'progress' }, turn.why || works));
    }
  }

  function toggleHistory(): void {
    if (state.history) {
      closeHistory();
    } else {
      port.post({ kind: 'list' });
    }
  }

  function closeHistory(): void {
    state = { ...state, history: null };
    drawHistory();
    root.querySelector<HTMLElement>('#history')?.focus();
  }

  function drawHistory(): void {
    const opened = history.hidden && state.history !== null;
    history.hidden = state.history === null;
    root.querySelector('#history')?.setAttribute('aria-expanded', String(state.history !== null));
    history.replaceChildren(...(state.history ? [historyList(state.history, port.post.bind(port))] : []));
    if (opened) {
      history.querySelector('button')?.focus();
    }
  }
}

function emptyNote(): HTMLElement {
  return element(
    'div',
    { class: 'empty' },
    element('p', {}, 'Ask where something is done, how it works, or what calls it.'),
    element('p', {}, 'Every answer names the places it rests on, and each of them opens with a click.'),
    element('p', {}, 'The model runs on this machine. It is small: check what it says.'),
  );
}
