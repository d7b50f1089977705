import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LocateResult } from '../../../src/pinger/dns/locate.js';
import { locateFirst } from '../../../src/pinger/dns/search-list.js';

type Failure = Extract<LocateResult, { kind: 'failed' }>;

const failed = (reason: Failure['reason'], detail: string): Failure => ({
  ...{ kind: 'failed', reason, detail },
  errors: [],
});

/** The result for `pbx`, where each name has this failure, and the names that were tried. */
async function locate(failures: Readonly<Record<string, Failure>>) {
  const tried: string[] = [];
  const result = await locateFirst('pbx', Object.keys(failures), async (name) => {
    tried.push(name);
    return { result: failures[name] ?? assert.fail(name), hasRecords: false };
  });
  return { result, tried };
}

describe('a name that is completed by a search list', () => {
  test('fails with the error of the name itself when none of the names exists', async () => {
    const { result } = await locate({
      'pbx.a.test': failed('nxdomain', 'no such name pbx.a.test'),
      pbx: failed('nodata', 'no address of pbx'),
    });
    assert.deepEqual(result, failed('nodata', 'no address of pbx (also tried pbx.a.test)'));
  });

  test('fails with the error of a server rather than with a name that does not exist', async () => {
    const { result, tried } = await locate({
      'pbx.a.test': failed('servfail', 'SERVFAIL for pbx.a.test'),
      pbx: failed('nxdomain', 'no such name pbx'),
    });
    assert.deepEqual(tried, ['pbx.a.test', 'pbx'], 'another name is tried after SERVFAIL');
    assert.deepEqual(result, failed('servfail', 'SERVFAIL for pbx.a.test (also tried pbx)'));
  });

  test('is not tried further after a timeout, which says nothing about the name', async () => {
    const { result, tried } = await locate({
      'pbx.a.test': failed('timeout', 'no answer'),
      pbx: failed('nxdomain', 'no such name pbx'),
    });
    assert.deepEqual([result, tried], [failed('timeout', 'no answer'), ['pbx.a.test']]);
  });

  test('fails when no completion is short enough for DNS', async () => {
    const { result, tried } = await locate({});
    assert.deepEqual([result, tried], [failed('nodata', 'no name to look up for pbx'), []]);
  });
});
