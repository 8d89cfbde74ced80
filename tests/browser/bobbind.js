/*
 * bobbind.js - starts the real daemon for a test, on free ports and in a directory of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS_MAX = 30_000;

/** Ports that were free a moment ago, all different. @param {number} count */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return servers.map((server) => {
    const { port } = server.address();
    server.close();
    return port;
  });
}

/** @param {string} url @param {() => string | null} failure */
async function untilAnswered(url, failure) {
  const end = Date.now() + START_MS_MAX;
  for (;;) {
    const problem = failure();
    if (problem !== null) {
      throw new Error(problem);
    }
    try {
      const response = await fetch(url);
      if (response.ok) {
        return;
      }
    } catch {
      // Not listening yet.
    }
    if (Date.now() > end) {
      throw new Error(`${url} did not answer within ${START_MS_MAX} ms`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/**
 * @param {string} binDir where bobbind is
 * @returns {Promise<{url: string, send: (request: object) => Promise<void>,
 *   stop: () => Promise<void>}>}
 */
export async function startBobbind(binDir) {
  const dataDir = await mkdtemp(join(tmpdir(), 'bobbin-browser-'));
  const [httpPort, otlpPort, adminPort] = await freePorts(3);
  const daemon = spawn(
    join(binDir, 'bobbind'),
    [
      '--data-dir',
      dataDir,
      '--http-listen',
      `127.0.0.1:${httpPort}`,
      '--otlp-http-listen',
      `127.0.0.1:${otlpPort}`,
      '--admin-listen',
      `127.0.0.1:${adminPort}`,
      '--otlp-grpc-listen=',
      '--jaeger-grpc-listen=',
      '--grpc-query-listen=',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  let ended = null;
  daemon.stdout.on('data', (chunk) => {
    log += chunk;
  });
  daemon.stderr.on('data', (chunk) => {
    log += chunk;
  });
  daemon.on('error', (error) => {
    ended = error.message;
  });
  daemon.on('exit', (code, signal) => {
    ended = `bobbind ended with ${code ?? signal}`;
  });

  async function stop() {
    if (ended === null) {
      const exit = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await exit;
    }
    await rm(dataDir, { recursive: true, force: true });
  }

  try {
    await untilAnswered(`http://127.0.0.1:${adminPort}/readyz`, () =>
      ended === null ? null : `${ended}\n${log}`,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${httpPort}`,
    async send(request) {
      const response = await fetch(`http://127.0.0.1:${otlpPort}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      });
      const answer = await response.text();
      if (!response.ok || answer.includes('rejectedSpans')) {
        throw new Error(`bobbind took not all: ${response.status} ${answer}`);
      }
    },
    stop,
  };
}
