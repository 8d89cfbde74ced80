import test from 'node:test';
import assert from 'node:assert/strict';
import { listSync } from '../../js/view/list_sync.js';

/** As much of a document as listSync touches; counts the moves. */
class FakeElement {
  constructor(text = '') {
    this.text = text;
    /** @type {FakeElement[]} */
    this.children = [];
    /** @type {FakeElement | null} */
    this.parent = null;
    this.moves = 0;
  }

  get firstChild() {
    return this.children[0] ?? null;
  }

  get nextSibling() {
    const siblings = this.parent?.children ?? [];
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }

  remove() {
    this.parent?.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = null;
  }

  /** @param {FakeElement} element @param {FakeElement | null} place */
  insertBefore(element, place) {
    element.remove();
    this.children.splice(
      place === null ? this.children.length : this.children.indexOf(place),
      0,
      element,
    );
    element.parent = this;
    this.moves++;
  }
}

function makeList() {
  const parent = new FakeElement();
  let created = 0;
  const sync = listSync(
    /** @type {any} */ (parent),
    (/** @type {string} */ item) => item[0],
    (item) => {
      created++;
      return /** @type {any} */ (new FakeElement(item));
    },
    (element, item) => {
      /** @type {any} */ (element).text = item;
    },
  );
  return {
    parent,
    /** @param {string[]} items */
    set(items) {
      created = 0;
      parent.moves = 0;
      sync(items);
      assert.deepEqual(
        parent.children.map((child) => child.text),
        items,
      );
      return { created, moves: parent.moves };
    },
  };
}

test('the children become those of the list, whatever was there', () => {
  const list = makeList();
  for (const items of [
    ['a', 'b', 'c'],
    ['c', 'a'],
    [],
    ['x', 'a', 'y', 'b'],
    ['b', 'y', 'a', 'x'],
  ]) {
    list.set(items);
  }
});

test('an item that stays keeps its element', () => {
  const list = makeList();
  list.set(['a', 'b', 'c']);
  const [, b] = list.parent.children;
  assert.deepEqual(list.set(['c', 'b2', 'd']), { created: 1, moves: 2 });
  assert.equal(list.parent.children[1], b);
});

test('scrolling by a row makes one element and moves no other', () => {
  const list = makeList();
  list.set(['1', '2', '3', '4']);
  assert.deepEqual(list.set(['2', '3', '4', '5']), { created: 1, moves: 1 });
  assert.deepEqual(list.set(['1', '2', '3', '4']), { created: 1, moves: 1 });
});

test('the same list again does nothing', () => {
  const list = makeList();
  list.set(['a', 'b']);
  assert.deepEqual(list.set(['a', 'b']), { created: 0, moves: 0 });
});
