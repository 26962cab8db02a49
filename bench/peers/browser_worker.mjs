/** A browser's Worker by Node's: jax-js has threads only where there is one. */
import { resolveObjectURL } from 'node:buffer';
import { Worker } from 'node:worker_threads';

const SCOPE = `
  const { parentPort } = require('node:worker_threads');
  const self = globalThis, postMessage = (message) => parentPort.postMessage(message);
  parentPort.on('message', (data) => self.onmessage({ data }));`;

export class BrowserWorker {
  constructor(url) {
    this.started = this.start(url);
  }

  async start(url) {
    const worker = new Worker(`${SCOPE}\n${await resolveObjectURL(url).text()}`, { eval: true });
    worker.on('message', (data) => this.onmessage({ data }));
    worker.on('error', (error) => this.onerror(error));
    return worker;
  }

  postMessage(message) {
    this.started.then((worker) => worker.postMessage(message));
  }
}
