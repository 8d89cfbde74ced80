/* search_form.js - the form at the left of the search page. */
import { h } from './dom.js';
import { DEFAULTS, LOOKBACKS } from '../model/search_params.js';

const RANGE_NAMES = [
  ...[...LOOKBACKS.keys()].map((key) => [key, `Last ${key}`]), ['all', 'All time'],
  ['custom', 'From … to …'],
];

/** Seconds since the epoch, as local time for <input type="datetime-local">. @param {string} utc */
function toLocalInput(utc) {
  const ms = Date.parse(utc);
  return Number.isNaN(ms) ? ''
    : new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 23);
}

/** @param {string} local */
function toUtc(local) {
  return local === '' ? '' : new Date(local).toISOString();
}

/** @param {HTMLSelectElement} select @param {string[][]} options value and text */
function fillSelect(select, options) {
  select.replaceChildren(...options.map(([value, text]) => h('option', { value }, text)));
}

/**
 * @param {HTMLElement} parent
 * @param {{search: (search: Search) => void, loadOperations: (service: string) => void}} actions
 */
export function mountSearchForm(parent, actions) {
  /** @type {Map<string, {input: HTMLInputElement | HTMLSelectElement, problem: HTMLElement}>} */
  const fields = new Map();
  let serviceNames = /** @type {string[]} */ ([]);

  /**
   * @param {keyof Search} name
   * @param {string} label
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {string} [hint]
   */
  function field(name, label, input, hint) {
    const problem = h('p', { class: 'field-problem', id: `problem-${name}`, hidden: true });
    input.id = `field-${name}`;
    input.setAttribute('aria-describedby', problem.id);
    fields.set(name, { input, problem });
    return h('div', { class: 'field' }, h('label', { for: input.id }, label), input, problem,
      hint === undefined ? null : h('p', { class: 'field-hint' }, hint));
  }

  /** @param {string} placeholder @param {string} [type] */
  const text = (placeholder, type = 'text') => h('input',
    { type, placeholder, autocomplete: 'off', spellcheck: 'false', step: 0.001 });

  const service = h('select', { change: () => {
    setOperations([]);
    actions.loadOperations(service.value);
  } });
  const operation = h('select');
  const lookback = h('select', { change: showCustom });
  const sort = h('select', { change: () => form.requestSubmit() });
  fillSelect(lookback, RANGE_NAMES);
  fillSelect(sort, [['newest', 'Newest first'], ['slowest', 'Slowest first']]);
  const custom = h('div', { class: 'field-range' },
    field('start', 'From', text('', 'datetime-local')),
    field('end', 'To', text('', 'datetime-local')));

  const form = h('form',
    { class: 'search-form', 'aria-label': 'Search for traces', novalidate: true, submit },
    field('service', 'Service', service),
    field('operation', 'Operation', operation),
    field('tags', 'Tags', text('http.status_code=500 error=true'),
      'key=value, all have to match. Quote blanks: "a key"="b c"'),
    h('div', { class: 'field-pair' },
      field('minDuration', 'Min duration', text('100ms')),
      field('maxDuration', 'Max duration', text('1.5s'))),
    field('lookback', 'Time range', lookback),
    custom,
    h('div', { class: 'field-pair' },
      field('sort', 'Order', sort),
      field('limit', 'Limit', h('input', { inputmode: 'numeric', autocomplete: 'off' }))),
    h('div', { class: 'search-actions' },
      h('button', { class: 'button-primary' }, 'Search'),
      h('a', { href: '/search', class: 'button' }, 'Reset')));
  parent.append(form);

  function showCustom() {
    custom.hidden = lookback.value !== 'custom';
  }

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const search = { ...DEFAULTS };
    for (const [name, { input }] of fields) {
      search[/** @type {keyof Search} */ (name)] = input.type === 'datetime-local'
        ? toUtc(input.value) : input.value.trim();
    }
    actions.search(search);
  }

  /**
   * Fills a select and keeps what is chosen, even if the server doesn't list it.
   * @param {HTMLSelectElement} select
   * @param {string} all
   * @param {string[]} names
   * @param {string} value
   */
  function setChoices(select, all, names, value) {
    const known = value === '' || names.includes(value) ? names : [value, ...names];
    fillSelect(select, [['', all], ...known.map((name) => [name, name])]);
    select.value = value;
  }

  /** @param {string[]} names @param {string} [value] */
  function setOperations(names, value = '') {
    operation.disabled = service.value === '';
    setChoices(operation, 'All operations', names, value);
  }

  return {
    /** @param {string[]} names */
    setServices(names) {
      serviceNames = names;
      setChoices(service, 'All services', names, service.value);
    },
    /** Late ones, of a service that isn't chosen any more, are dropped. */
    /** @param {string} of @param {string[]} names */
    setOperations(of, names) {
      if (of === service.value) {
        setOperations(names, operation.value);
      }
    },
    /** @param {Search} search */
    setSearch(search) {
      for (const [name, { input }] of fields) {
        const value = search[/** @type {keyof Search} */ (name)];
        input.value = input.type === 'datetime-local' ? toLocalInput(value) : value;
      }
      setChoices(service, 'All services', serviceNames, search.service);
      setOperations([], search.operation);
      showCustom();
    },
    /** @param {Problems} problems the first gets the focus */
    setProblems(problems) {
      for (const [name, { input, problem }] of fields) {
        const message = problems.get(/** @type {keyof Search} */ (name)) ?? '';
        problem.textContent = message;
        problem.hidden = message === '';
        input.setAttribute('aria-invalid', String(message !== ''));
      }
      fields.get([...problems.keys()][0])?.input.focus();
    },
  };
}
