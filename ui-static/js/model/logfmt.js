/*
 * logfmt.js - the tag box of the search form: key=value pairs, separated by blanks.
 *
 *   http.status_code=500 error=true "a key"="b c" note="say \"hi\""
 *
 * A key or value with a blank, a quote or, in a key, an equals sign is quoted; inside quotes \" is
 * a quote and \\ a backslash. A value runs to the next blank, so that `query=a=b` needs no quotes.
 */

/**
 * @typedef {{ok: true, tags: Record<string, string>} | {ok: false, message: string}} TagResult
 */

/**
 * @param {string} text
 * @returns {TagResult}
 */
export function parseTags(text) {
  /** @type {Map<string, string>} */
  const tags = new Map();
  let at = 0;

  /** Reads a word up to one of `ends`; null when a quote is left open. @param {RegExp} ends */
  function word(ends) {
    if (text[at] !== '"') {
      const from = at;
      while (at < text.length && !ends.test(text[at])) {
        at++;
      }
      return text.slice(from, at);
    }
    let out = '';
    for (at++; at < text.length; at++) {
      if (text[at] === '"') {
        at++;
        return out;
      }
      if (text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) {
        at++;
      }
      out += text[at];
    }
    return null;
  }

  for (;;) {
    while (/\s/.test(text[at] ?? '')) {
      at++;
    }
    if (at >= text.length) {
      return { ok: true, tags: Object.fromEntries(tags) };
    }
    const key = word(/[\s=]/);
    if (key === null) {
      return { ok: false, message: 'A quote is not closed.' };
    }
    if (key === '') {
      return { ok: false, message: 'There is a value without a key. Write key=value.' };
    }
    if (text[at] !== '=') {
      return { ok: false, message: `“${key}” has no value. Write ${key}=value.` };
    }
    at++;
    const value = word(/\s/);
    if (value === null) {
      return { ok: false, message: 'A quote is not closed.' };
    }
    if (at < text.length && !/\s/.test(text[at])) {
      return { ok: false, message: `There is text right behind the value of “${key}”.` };
    }
    if (tags.has(key)) {
      return { ok: false, message: `“${key}” is there twice.` };
    }
    tags.set(key, value);
  }
}
