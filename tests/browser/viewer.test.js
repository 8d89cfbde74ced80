/*
 * viewer.test.js - the viewer as its readers meet it: the real bobbind, a real browser.
 *
 *   BOBBIN_BIN_DIR    where bobbind is
 *   BOBBIN_SHOT_DIR   where screenshots go; none are taken without it
 *   BOBBIN_CHROMIUM   the browser; /usr/bin/chromium
 *
 * After each test the page must have had no error and no violation of its content security policy.
 */
import test, { after, afterEach, before, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startBobbind } from './bobbind.js';
import { checkoutTrace, smallTrace, wideTrace } from './traces.js';

const SMALL_COUNT = 6;
const WIDE_COUNT = 10_000;
const DOM_NODES_MAX = 1500;
const WAIT_MS_MAX = 20_000;
const DESKTOP = { width: 1360, height: 820 };

const now = BigInt(Date.now()) * 1_000_000n;
const checkout = checkoutTrace(now);
const wide = wideTrace(now, WIDE_COUNT);
const shotDir = process.env.BOBBIN_SHOT_DIR;

let bobbind;
let browser;
let context;
let page;
/** What the page complained about, and what of it a test has asked for. */
let complaints = [];
let expected = [];

before(async () => {
  bobbind = await startBobbind(process.env.BOBBIN_BIN_DIR ?? '');
  await bobbind.send(checkout.request);
  for (let i = 0; i < SMALL_COUNT; i++) {
    await bobbind.send(smallTrace(now, i).request);
  }
  for (const request of wide.requests) {
    await bobbind.send(request);
  }
  browser = await chromium.launch({
    executablePath: process.env.BOBBIN_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  if (shotDir !== undefined) {
    await mkdir(shotDir, { recursive: true });
  }
});

after(async () => {
  await browser?.close();
  await bobbind?.stop();
});

beforeEach(async () => {
  complaints = [];
  expected = [];
  context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'light', locale: 'en-GB' });
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      complaints.push(message.text());
    }
  });
});

afterEach(async () => {
  await context.close();
  const unexpected = complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
  assert.deepEqual(unexpected, [], 'the page complained');
});

/** @param {string} path */
async function open(path) {
  await page.goto(bobbind.url + path);
}

/** @param {string} query */
async function openCheckout(query = '') {
  await open(`/trace/${checkout.traceId}${query}`);
  await page.locator('.row').first().waitFor();
}

/** @param {string} name */
async function shoot(name) {
  if (shotDir !== undefined) {
    await page.screenshot({ path: join(shotDir, `${name}.png`) });
  }
}

/** The text of an element, blanks as one. @param {string} selector */
async function textOf(selector) {
  return (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ').trim();
}

/**
 * Waits until a condition holds in the page. (The waiting of playwright itself compiles text in the
 * page, which its policy forbids.)
 * @param {(argument: any) => boolean} condition
 * @param {any} [argument]
 */
async function until(condition, argument) {
  const end = Date.now() + WAIT_MS_MAX;
  while (!(await page.evaluate(condition, argument))) {
    assert.ok(Date.now() < end, `still not: ${condition}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** @param {string} name @param {string | null} value of a parameter of the address */
function untilParam(name, value) {
  return until(
    ([wantedName, wanted]) => new URL(document.URL).searchParams.get(wantedName) === wanted,
    [name, value],
  );
}

/** @param {number} id */
const row = (id) => `.row[data-span-id="${id.toString(16).padStart(16, '0')}"]`;

/* ---- Search ---- */

test('the start page lists what was sent, newest first, with counts and marks', async () => {
  await open('/');
  await page.locator('.trace').first().waitFor();
  const ids = await page
    .locator('.trace')
    .evaluateAll((items) => items.map((item) => item.dataset.traceId));
  assert.equal(ids.length, SMALL_COUNT + 2);
  assert.equal(ids[0], checkout.traceId);
  const text = await textOf('.trace');
  for (const part of [
    'frontend POST /checkout',
    'incomplete trace',
    '9 spans',
    '1 error',
    '182.5ms',
    'payment 2',
  ]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.match(await textOf('.results-head'), /^8 traces .*\d{4}-\d\d-\d\d .* to /);
  await shoot('search');
});

test('every answer forbids inline scripts and styles', async () => {
  const response = await page.goto(`${bobbind.url}/search`);
  const policy = response.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.ok(!policy.includes('unsafe-inline'));
});

test('the form searches by each of its fields, and the address keeps it', async () => {
  await open('/');
  await page.locator('.trace').first().waitFor();
  await page.getByLabel('Service', { exact: true }).selectOption('payment');
  await page.locator('#field-operation option[value="Charge"]').waitFor({ state: 'attached' });
  await page.getByLabel('Operation').selectOption('Charge');
  await page.getByLabel('Tags').fill('payment.currency=EUR error=true');
  await page.getByLabel('Min duration').fill('100ms');
  await page.getByRole('button', { name: 'Search' }).click();
  await until(() => document.querySelectorAll('.trace').length === 1);
  const params = new URL(page.url()).searchParams;
  assert.equal(params.get('service'), 'payment');
  assert.equal(params.get('operation'), 'Charge');
  assert.equal(params.get('tags'), 'payment.currency=EUR error=true');
  assert.equal(params.get('minDuration'), '100ms');
  await page.reload();
  await until(() => document.querySelectorAll('.trace').length === 1);
  assert.equal(await page.getByLabel('Tags').inputValue(), 'payment.currency=EUR error=true');
  await page.goBack();
  await until(() => document.querySelectorAll('.trace').length > 1);
});

test('slowest first puts the slowest first', async () => {
  await open('/search?sort=slowest');
  await page.locator('.trace').first().waitFor();
  assert.equal(await page.locator('.trace').first().getAttribute('data-trace-id'), wide.traceId);
});

test('a field that cannot be understood is named and nothing is asked', async () => {
  await open('/search?tags=error&minDuration=100');
  await page.locator('.notice-error').waitFor();
  assert.match(await textOf('#problem-tags'), /error=value/);
  assert.match(await textOf('#problem-minDuration'), /a unit/);
  assert.equal(await page.getByLabel('Tags').getAttribute('aria-invalid'), 'true');
});

test('nothing found says which range was searched', async () => {
  await open('/search?service=nobody&lookback=5m');
  await page.locator('.notice-empty').waitFor();
  assert.match(await textOf('.notice-empty'), /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d to \d{4}/);
  await shoot('search-empty');
});

test('an incomplete answer says so and why', async () => {
  await page.route('**/api/v3/trace-summaries*', async (route) => {
    const answer = await (await route.fetch()).json();
    await route.fulfill({ json: { ...answer, complete: false, incompleteReason: 'time ran out' } });
  });
  await open('/');
  assert.match(await textOf('.banner'), /time ran out/);
});

test('the words of a refusal are shown, and that a server is gone', async () => {
  expected = [/status of 503/, /ERR_FAILED/];
  await page.route('**/api/v3/trace-summaries*', (route) =>
    route.fulfill({
      status: 503,
      json: { error: { httpCode: 503, message: 'memory for queries is used up' } },
    }),
  );
  await open('/');
  await page.locator('.notice-error').waitFor();
  assert.match(await textOf('.notice-error'), /memory for queries is used up/);
  await page.route('**/api/v3/trace-summaries*', (route) => route.abort());
  await open('/search?lookback=3h');
  await page.getByText('The server does not answer').waitFor();
});

test('the trace id box goes to a trace and refuses what is none', async () => {
  await open('/');
  const box = page.getByLabel('Trace id');
  await box.fill('nonsense');
  await box.press('Enter');
  assert.match(await box.evaluate((input) => input.validationMessage), /32 or 16 hex digits/);
  await box.fill(checkout.traceId.toUpperCase());
  await box.press('Enter');
  await page.locator('.row').first().waitFor();
  assert.equal(new URL(page.url()).pathname, `/trace/${checkout.traceId}`);
});

/* ---- One trace ---- */

test('the waterfall has a row for each span and one for the parent that is missing', async () => {
  await openCheckout();
  assert.equal(await page.locator('.row').count(), 10);
  assert.equal(await page.locator('.row[data-span-id]').count(), 9);
  assert.equal(await page.locator('.row[data-missing="true"]').count(), 1);
  const levels = await page
    .locator('.row')
    .evaluateAll((rows) => rows.map((one) => Number(one.getAttribute('aria-level'))));
  assert.deepEqual(levels, [1, 2, 2, 3, 2, 3, 3, 2, 1, 2]);
  await shoot('trace');
});

test('durations are shown as they were sent', async () => {
  await openCheckout();
  const durations = await page.locator('.row[data-span-id] .bar-label').allInnerTexts();
  assert.deepEqual(durations, [
    '182.5ms',
    '6.25ms',
    '48ms',
    '30.4ms',
    '104ms',
    '70ms',
    '9ms',
    '11.9ms',
    '4.75ms',
  ]);
  assert.match(
    await textOf('.facts'),
    /^Start .* UTC Duration 182.5ms Services 6 Depth 3 Spans 9 Errors 1$/,
  );
});

test('a bar lies where its time does', async () => {
  await openCheckout();
  const places = await page.evaluate(
    (ids) =>
      ids.map((id) => {
        const track = document.querySelector(`${id} .row-track`).getBoundingClientRect();
        const bar = document.querySelector(`${id} .bar`).getBoundingClientRect();
        return [(bar.left - track.left) / track.width, bar.width / track.width];
      }),
    [row(1), row(5)],
  );
  const isNear = (value, wanted) => Math.abs(value - wanted) < 0.01;
  assert.ok(isNear(places[0][0], 0) && isNear(places[0][1], 1), String(places[0]));
  assert.ok(
    isNear(places[1][0], 64 / 182.5) && isNear(places[1][1], 104 / 182.5),
    String(places[1]),
  );
});

test('the span with an error is marked for eyes and for screen readers, and no other', async () => {
  await openCheckout();
  assert.equal(await page.locator('.row[data-error="true"]').count(), 1);
  const marked = page.locator(`${row(5)}[data-error="true"]`);
  assert.match(await marked.getAttribute('aria-label'), /^Error: payment Charge, 104ms$/);
  assert.equal(await marked.locator('.icon-error').count(), 1);
  assert.equal(await marked.locator('.event-tick').count(), 2);
});

test('a span that starts before its parent is marked and not moved', async () => {
  await openCheckout('?span=0000000000000007');
  assert.match(await textOf('.detail .banner'), /1.5ms before its parent/);
  assert.match(await textOf('.detail-facts'), /^Start \+62.5ms/);
  assert.equal(await page.locator(`${row(7)} .icon-warning`).count(), 1);
});

test('the details have all five levels, types, what was dropped, and text as text', async () => {
  await openCheckout();
  await page.locator(row(5)).click();
  await page.locator('.detail-head').waitFor();
  await untilParam('span', '0000000000000005');
  await shoot('trace-details');
  for (const title of ['Resource', 'Scope']) {
    await page.locator('.detail-body > .section > summary', { hasText: title }).click();
  }
  const text = await textOf('.detail');
  for (const part of [
    'error: card refused by issuer',
    'payment.amount 42.5 double',
    'payment.order 9007199254740993 int',
    'error true bool',
    'payment.raw 3q2+7w== bytes',
    'payment.tries [1, 2] array',
    'payment.card {"brand": "visa"} map',
    'payment.currency EUR string',
    '2 attributes more were dropped',
    'retry +28ms',
    'exception +68ms',
    'exception.type CardRefused',
    '1 attribute more was dropped',
    '1 event more was dropped',
    '7a3f00000000000000000000000c4e02',
    'link.kind retry of',
    'host.name payment-0',
    'demo.instrumentation 0.9.1',
    'scope.tier test',
    '<img src=x onerror=alert(1)>',
  ]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.equal(await page.locator('.detail img').count(), 0);
  const shown = await page
    .locator('.detail .value')
    .evaluateAll((cells) => Math.max(...cells.map((cell) => cell.textContent.length)));
  assert.ok(shown < 700);
  await page.getByRole('button', { name: /Show all 1,0\d\d characters/ }).click();
  await until(() =>
    [...document.querySelectorAll('.detail .value')].some((cell) => cell.textContent.length > 1000),
  );
});

test('a link to a span opens it', async () => {
  await openCheckout('?span=0000000000000004');
  assert.equal(await textOf('.detail h2'), 'HGETALL cart');
  assert.equal(await page.locator(row(4)).getAttribute('aria-selected'), 'true');
});

test('the placeholder says what is missing', async () => {
  await openCheckout();
  await page.locator('.row[data-missing="true"]').click();
  assert.match(await textOf('.detail'), /Missing span .*Not received.* 0000000000000309/);
});

test('keys move, open, close, collapse and find', async () => {
  await openCheckout();
  for (const key of ['j', 'j', 'ArrowDown', 'Enter']) {
    await page.keyboard.press(key);
  }
  await untilParam('span', '0000000000000003');
  await page.keyboard.press('ArrowLeft');
  await untilParam('collapsed', '0000000000000003');
  await until(() => document.querySelectorAll('.row').length === 9);
  assert.match(await textOf(row(3)), /\+1/);
  await page.keyboard.press('ArrowRight');
  await untilParam('collapsed', null);
  await page.keyboard.press('Escape');
  await untilParam('span', null);
  await page.keyboard.press('e');
  await page.keyboard.press('Enter');
  await untilParam('span', '0000000000000005');
  await page.keyboard.press('/');
  await page.keyboard.type('db.system=redis');
  await untilParam('find', 'db.system=redis');
  await until(() => document.querySelector('.find output').value === '1 match');
  await page.keyboard.press('Enter');
  await untilParam('span', '0000000000000004');
  assert.equal(await page.locator('.row.is-match').count(), 1);
});

test('a collapsed and zoomed view opens the same from its address', async () => {
  await openCheckout('?collapsed=0000000000000005&range=50000000-150000000&find=payment');
  await until(() => document.querySelectorAll('.row').length === 8);
  await until(() => document.querySelector('.find output').value === '2 matches');
  assert.match(await textOf('.ruler'), /60ms .*140ms/);
  await page.keyboard.press('Escape');
  await untilParam('range', null);
});

test('dragging over the overview chooses the range', async () => {
  await openCheckout();
  const box = await page.locator('.minimap').boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await until(() => document.URL.includes('range='));
  const [from, to] = new URL(page.url()).searchParams.get('range').split('-').map(Number);
  assert.ok(Math.abs(from / 182.5e6 - 0.25) < 0.01 && Math.abs(to / 182.5e6 - 0.75) < 0.01);
});

test('a trace that is not there is told apart from a failure', async () => {
  expected = [/status of 404/];
  await open('/trace/0000000000000000000000000000dead');
  await page.getByText('There is no such trace').waitFor();
  await shoot('trace-missing');
});

test('a trace of 10,000 spans is whole, and the document stays small', async () => {
  await open(`/trace/${wide.traceId}`);
  await page.locator('.row').first().waitFor();
  assert.match(await textOf('.facts'), /Spans 10,000/);
  const nodeCount = () => page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok((await nodeCount()) < DOM_NODES_MAX, String(await nodeCount()));
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await until(
    (last) =>
      document.querySelector('.row:last-child')?.getAttribute('aria-selected') === 'true' &&
      document.querySelectorAll('.row').length < last,
    WIDE_COUNT,
  );
  assert.ok((await nodeCount()) < DOM_NODES_MAX, String(await nodeCount()));
  await page.keyboard.press('/');
  await page.keyboard.type('step=777');
  await until(() => document.querySelector('.find output').value === '11 matches');
  await shoot('trace-wide');
});

/* ---- Around ---- */

test('the theme is chosen with a button and kept', async () => {
  await openCheckout('?span=0000000000000005');
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: 'Theme: auto' }).click();
  await page.getByRole('button', { name: 'Theme: light' }).click();
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  await page.locator('.row').first().waitFor();
  assert.equal(await background(), dark);
  await shoot('trace-dark');
});

test('a file is shown without the server: the list of its traces, and each of them', async () => {
  await open('/');
  await page.route('**/api/**', (route) => route.abort());
  const lines = [checkout.request, smallTrace(now, 0).request].map((one) => JSON.stringify(one));
  await page.locator('input[type=file]').setInputFiles({
    name: 'two.jsonl',
    mimeType: 'application/json',
    buffer: Buffer.from(lines.join('\n')),
  });
  await until(() => document.querySelectorAll('.trace').length === 2);
  assert.match(await textOf('.trace'), /182.5ms/);
  await page.locator('.trace a').first().click();
  await until(() => document.querySelectorAll('.row').length === 10);
});

test('a file that is not OTLP JSON is refused with a reason', async () => {
  await open('/');
  await page.locator('input[type=file]').setInputFiles({
    name: 'other.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"a":1}'),
  });
  await page.getByText('it has no list “resourceSpans”').waitFor();
});

test('a narrow screen has it all without scrolling sideways', async () => {
  await page.setViewportSize({ width: 420, height: 800 });
  for (const path of ['/', `/trace/${checkout.traceId}?span=0000000000000005`]) {
    await open(path);
    await page.locator('.trace, .row').first().waitFor();
    const [scrolled, seen] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    assert.ok(scrolled <= seen, `${path}: ${scrolled} > ${seen}`);
  }
  await shoot('trace-narrow');
});
