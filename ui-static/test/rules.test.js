/*
 * rules.test.js - the rules of ui-static/ that no one module can break alone: its size, who may
 * import whom, and what the content security policy depends on.
 */
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

const CODE_BYTES_MAX = 100 * 1024;

/** What is served. The rest of the folder is for the ones who work on it. */
const FILES = [
  'index.html',
  'favicon.svg',
  ...['css', 'js', 'js/model', 'js/view'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => /\.(css|js)$/.test(name))
      .map((name) => `${folder}/${name}`),
  ),
];
const TEXTS = new Map(FILES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

/** @param {string} file */
const text = (file) => TEXTS.get(file) ?? '';
const modules = FILES.filter((file) => file.endsWith('.js') && file !== 'js/theme_boot.js');

/** The files that a module imports. @param {string} file */
function importsOf(file) {
  return [...text(file).matchAll(/^import [\s\S]*? from '(.*?)';$|^import\('(.*?)'\)/gm)].map(
    (match) => {
      assert.ok(match[1]?.startsWith('.'), `${file} imports ${match[1]}: only files of our own`);
      return relative(ROOT, join(ROOT, dirname(file), match[1]));
    },
  );
}

test('model imports model only, view imports view and model, and only main imports the api', () => {
  for (const file of modules) {
    for (const imported of importsOf(file)) {
      const isAllowed =
        file === 'js/main.js' ||
        imported.startsWith('js/model/') ||
        (file.startsWith('js/view/') && imported.startsWith('js/view/'));
      assert.ok(isAllowed, `${file} imports ${imported}`);
      assert.ok(TEXTS.has(imported), `${file} imports ${imported}, which is not there`);
    }
  }
});

test('only api.js fetches, and the model touches no document', () => {
  for (const file of modules) {
    assert.ok(file === 'js/api.js' || !/\bfetch\(/.test(text(file)), file);
    assert.ok(
      !file.startsWith('js/model/') || !/\b(document|window|location)\b\./.test(text(file)),
      file,
    );
  }
});

test('no markup is made from text, and nothing needs a weaker policy', () => {
  for (const file of modules) {
    assert.ok(
      !/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/.test(
        text(file),
      ),
      file,
    );
  }
  assert.ok(!/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i.test(text('index.html')));
});

test('everything comes from this server', () => {
  for (const [file, content] of TEXTS) {
    const hosts = content.match(/(https?:)?\/\/[a-z0-9-]+\.[a-z]+/gi) ?? [];
    assert.deepEqual(
      hosts.filter((host) => !host.startsWith('http://www.w')),
      [],
      file,
    );
  }
});

test('index.html names every style and every module, and nothing that is not there', () => {
  const named = [...text('index.html').matchAll(/(?:href|src)="\/(.*?)"/g)].map(
    (match) => match[1],
  );
  assert.deepEqual([...named].sort(), FILES.filter((file) => file !== 'index.html').sort());
});

test('colours come from tokens only', () => {
  for (const file of FILES.filter((name) => name.endsWith('.css') && name !== 'css/tokens.css')) {
    assert.ok(!/#[0-9a-f]{3,8}\b(?![^{]*\{)|\brgba?\(|\bhsla?\(|\boklch\(/i.test(text(file)), file);
  }
});

test('every token that is used is there', () => {
  const known = new Set(
    [...text('css/tokens.css').matchAll(/(--[\w-]+):/g)].map((match) => match[1]),
  );
  known.add('--color'); // set by view/dom.js
  for (const [file, content] of TEXTS) {
    for (const [, token] of content.matchAll(/var\((--[\w-]+)\)/g)) {
      assert.ok(known.has(token), `${file}: ${token}`);
    }
  }
});

test('the code is within its budget', () => {
  // What the browser has to parse. Comments are left out, so that none is ever cut for its bytes.
  const total = [...TEXTS.values()].reduce(
    (sum, content) =>
      sum + Buffer.byteLength(content.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*\n/gm, '')),
    0,
  );
  assert.ok(total <= CODE_BYTES_MAX, `${total} bytes are over ${CODE_BYTES_MAX}`);
});
