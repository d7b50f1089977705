/** Lists of destinations: Kamailio's files, and Prometheus's in JSON and in YAML. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDispatcherList } from '../../../src/discovery/dispatcher-list.js';
import { FileSd } from '../../../src/discovery/file-sd.js';
import type { Findings } from '../../../src/discovery/found.js';
import { readKamailioCfg } from '../../../src/discovery/kamailio-cfg.js';
import { Parser } from '../../../src/discovery/parsing/parser.js';
import { systemClock } from '../../../src/shared/clock.js';
import { TRANSPORTS } from '../../../src/shared/outcome.js';
import { canonicalUri, pingableUri } from '../../../src/shared/uri.js';
import { type FuzzTarget, seedsOf } from '../target.js';

/** Every entry is valid as it is written, and remarks are short. */
function checkFindings({ found, remarks }: Findings, size: number): void {
  const names = found.map(({ entry }) => String(entry['name'] ?? entry['uri']));
  assert.equal(new Set(names).size, names.length, 'two destinations of one name');
  for (const { place, entry } of found) {
    const uri = String(entry['uri']);
    const transport = TRANSPORTS.find((name) => name === entry['transport']) ?? 'auto';
    assert.ok(place !== '', 'no place');
    assert.equal(canonicalUri(uri, transport), uri, 'not canonical');
    pingableUri(uri, transport);
  }
  for (const { place, reason } of remarks) {
    assert.ok(place !== '' && reason !== '' && reason.length < 2000, 'a remark');
  }
  assert.ok(found.length + remarks.length <= 64 + size, 'more than there are bytes');
}

export const DISPATCHER: FuzzTarget = {
  seeds: seedsOf('dispatcher', '.list'),
  dictionary: [
    ...['1 sip:192.0.2.1', ' 0 0 ', '\n', '#', 'duid=', 'socket=udp:127.0.0.1:5060', ';', "'", '"'],
    ...['ping_from=sip:a@b', 'obproxy=sip:192.0.2.9', ';transport=tcp', '[::1]', 'sips:', '0x'],
    ...['weight=50', 'socket=tls:127.0.0.1', '\ufeff', '\r\n', '\t', '@', '%00'],
  ],
  run: (input) => {
    const text = input.toString('utf8');
    checkFindings(
      readDispatcherList(text, 'list', (address) => address === '127.0.0.1'),
      input.length,
    );
  },
};

const LIST = '1 sip:192.0.2.1\n2 sip:192.0.2.2;transport=tls 0 0 socket=udp:127.0.0.1\n';
const SMALL = '#!define A B\nmodparam("keepalive", "destination", A)\n';
/** The number of substituted defines is bounded, and each may have a remark. */
const MAX_EXPANSIONS = 20_000;

export const KAMAILIO: FuzzTarget = {
  seeds: seedsOf('kamailio', '.cfg'),
  dictionary: [
    ...['modparam("keepalive", "destination", "sip:192.0.2.1")\n', '#!define A ', '#!ifdef A\n'],
    ...[
      '#!else\n',
      '#!endif\n',
      '#!subst "/a/b/g"\n',
      '#!substdef "!A!b!g"\n',
      '"',
      "'",
      '/*',
      '*/',
    ],
    ...[
      'include_file "k"\n',
      'include_file "small"\n',
      '#!ifexp A\n',
      '\\\n',
      '\\x41',
      '{',
      '}',
      '#!redef A ',
      '//',
      '#',
    ],
    ...['"ping_interval", 10)', '"ping_from", "sip:a@b")', '"keep.*|tm"', '$def(A)', '#!trydef A '],
    ...['loadmodule "dispatcher.so"\n', 'modparam("dispatcher", ', '"list_file", "list")'],
    ...['"db_url", "x")', '"ds_ping_interval", 5)', '"ds_ping_reply_codes", "class=3")'],
    ...['"ds_default_socket", "udp:127.0.0.1")', '"ds_ping_method", "INFO")'],
    ...['"ds_ping_fr_timer", 80)', '"outbound_proxy", "sip:192.0.2.9")', '"keepalive|dispatcher"'],
  ],
  run: (input) => {
    // The file may include itself, and another one.
    const read = (path: string) => {
      if (path === 'k') return input;
      if (path === 'small') return Buffer.from(SMALL);
      if (path === '/list') return Buffer.from(LIST);
      throw new Error('there is no such file');
    };
    const found = readKamailioCfg('k', read, (address) => address === '127.0.0.1');
    checkFindings(found, input.length + MAX_EXPANSIONS);
  },
};

const FOLDER = mkdtempSync(join(tmpdir(), 'sip-keepalive-fuzz-'));
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

/** Targets of a list are kept as written; later stages validate them. */
async function readList(file: string, input: Buffer): Promise<void> {
  const path = join(FOLDER, file);
  writeFileSync(path, input);
  const { found, remarks, errors } = await new FileSd([path], new Parser(systemClock)).read(
    new AbortController().signal,
  );
  for (const { place, entry } of found) {
    assert.ok(place.startsWith(path), 'the place');
    assert.equal(typeof entry['uri'], 'string');
  }
  for (const text of errors) assert.ok(text !== '' && text.length < 2000, 'a remark');
  assert.ok(found.length + remarks.length <= 64 + input.length, 'more than there are bytes');
}

const TARGETS = ['targets', 'labels', '192.0.2.1:5060', '__name', '__owner', '__ping_interval'];

export const JSON_LIST: FuzzTarget = {
  seeds: seedsOf('file-sd', '.json'),
  dictionary: [...TARGETS, '[', ']', '{', '}', '":', ',"', 'null', '__proto__', '\\u0000', '1e999'],
  run: (input) => readList('list.json', input),
};

export const YAML_LIST: FuzzTarget = {
  seeds: [...seedsOf('file-sd', '.yaml'), ...seedsOf('web', '.yml')],
  dictionary: [
    ...[
      ...TARGETS,
      '- ',
      ': ',
      '&a ',
      '*a',
      '<<: ',
      '---\n',
      '...\n',
      '|\n',
      '>-\n',
      '!!str ',
      '? ',
    ],
    ...[
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '\n  ',
      '#',
      '%YAML 1.2\n',
      '!<tag:yaml.org,2002:js>',
      '0x1F',
    ],
  ],
  run: (input) => readList('list.yaml', input),
};
