// The peer of benchmarks.sync: PouchDB's own server, or its client. Run by benchmarks/sync_peer.py.
//   node sync_peer.cjs serve FOLDER DOCUMENTS   fills a database, then prints {"port": ...} and serves it
//   node sync_peer.cjs sync FOLDER URL EVENTS   pulls it, writes the events and pushes them; prints figures
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { createRequire } = require('node:module');

// What npm installed is in the working directory, not beside this file.
const installed = createRequire(path.join(process.cwd(), 'package.json'));
const BATCH = 1000;

async function fill(database, file) {
  let batch = [];
  let written = 0;
  const write = async () => {
    const answers = await database.bulkDocs(batch);
    written += answers.filter((answer) => answer.ok).length;
    batch = [];
  };
  for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
    batch.push(JSON.parse(line));
    if (batch.length === BATCH) await write();
  }
  if (batch.length) await write();
  return written;
}

async function serve(folder, documents) {
  const express = installed('express');
  const Store = installed('pouchdb').defaults({ prefix: path.join(folder, 'server-') });
  const filled = await fill(new Store('members'), documents);
  const app = express();
  const log = path.join(folder, 'express.log');
  const config = path.join(folder, 'config.json');
  app.use('/', installed('express-pouchdb')(Store, { logPath: log, configPath: config }));
  const server = app.listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ port: server.address().port, filled }));
  });
}

async function sync(folder, url, events) {
  const Store = installed('pouchdb');
  const local = new Store(path.join(folder, 'client-members'));
  const remote = new Store(url);
  const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;
  let from = process.hrtime.bigint();
  const pulled = await local.replicate.from(remote, { batch_size: BATCH, batches_limit: 5 });
  const pullS = seconds(from);
  const since = (await local.info()).update_seq;
  await fill(local, events);
  from = process.hrtime.bigint();
  const pushed = await local.replicate.to(remote, { since, batch_size: BATCH, batches_limit: 5 });
  const pushS = seconds(from);
  const memoryKib = process.resourceUsage().maxRSS;
  const counted = { pulled: pulled.docs_written, pushed: pushed.docs_written };
  console.log(JSON.stringify({ ...counted, pull_s: pullS, push_s: pushS, memory_kib: memoryKib }));
}

const [verb, ...rest] = process.argv.slice(2);
({ serve, sync })[verb](...rest).catch((error) => {
  console.error(error);
  process.exit(1);
});
