/** What an edit means for the suggestion on the screen. No VS Code in here. */

export interface Offer {
  id: string;
  uri: string;
  /** Where the rest of it begins, in UTF-16 units of the document. */
  offset: number;
  /** What is not in the document yet. */
  rest: string;
  /** Characters that were accepted in part. */
  accepted: number;
  shown: boolean;
}

export interface Edit {
  offset: number;
  /** Length of what was replaced. */
  length: number;
  text: string;
}

export type Meaning = 'typed through' | 'accepted in part' | 'accepted' | 'rejected';

/**
 * Move `offer` on by an edit of its document, and say what the edit was.
 *
 * VS Code's stable API does not tell of partial acceptance. A letter that is typed comes alone; a word or a line that
 * is accepted comes as one edit of several letters.
 */
export function follow(offer: Offer, edit: Edit): Meaning {
  if (edit.offset !== offer.offset || edit.text === '' || !offer.rest.startsWith(edit.text)) {
    return 'rejected';
  }
  offer.offset += edit.text.length;
  offer.rest = offer.rest.slice(edit.text.length);
  if (offer.rest === '') {
    return 'accepted';
  }
  if (edit.text.length === 1) {
    return 'typed through';
  }
  offer.accepted += edit.text.length;
  return 'accepted in part';
}
