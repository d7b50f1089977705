import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModulesByLabel, Origin } from '../../../src/config/source-settings.js';
import { moduleOf } from '../../../src/discovery/module-choice.js';

const PROFILE: Origin = { text: 'attribute:profile', kind: 'attribute', name: 'profile' };
const MODULES = ['teams', 'strict'];

function chosen(
  labels: Readonly<Record<string, unknown>>,
  modules: ModulesByLabel,
  { moduleFrom, profiles = [] }: { moduleFrom?: Origin; profiles?: readonly string[] } = {},
) {
  const reasons: string[] = [];
  const module = moduleOf(
    { uri: 'sip:a', attributes: new Map([['profile', new Set(profiles)]]), labels },
    {
      modules,
      moduleFrom,
      moduleProblem: (name) => (MODULES.includes(name) ? undefined : `unknown module "${name}"`),
    },
    (reason) => reasons.push(reason),
  );
  return { module, reasons };
}

test('the module is that of the value of a label', () => {
  const modules = { setid: { '2': 'teams' }, region: { 'eu, west': 'strict' } };
  assert.equal(chosen({ setid: '2' }, modules).module, 'teams');
  assert.equal(chosen({ setid: 2 }, modules).module, 'teams');
  assert.equal(chosen({ setid: '3', region: 'eu, west' }, modules).module, 'strict');
  assert.equal(chosen({ setid: '22', toString: null }, modules).module, undefined);
  assert.equal(chosen({ setid: 'constructor' }, modules).module, undefined);
});

test('a label with several values has the module of the first that matches; different ones are reported', () => {
  const modules = { setid: { '2': 'teams', '3': 'teams', '4': 'strict' } };
  assert.deepEqual(chosen({ setid: '1,2,3' }, modules), { module: 'teams', reasons: [] });
  assert.deepEqual(chosen({ setid: '1,4,2' }, modules), {
    module: 'strict',
    reasons: ['modules.setid: expected one module, got "strict" and "teams": "strict" is used'],
  });
});

test('module_from names the module where modules has none', () => {
  const modules = { setid: { '2': 'teams' } };
  const from = { moduleFrom: PROFILE, profiles: ['strict'] };
  assert.equal(chosen({ setid: '2' }, modules, from).module, 'teams');
  assert.equal(chosen({ setid: '1' }, modules, from).module, 'strict');
  assert.deepEqual(chosen({}, modules, { moduleFrom: PROFILE }), {
    module: undefined,
    reasons: [],
  });
});

test('an unknown module is reported, and a known one beside it is used', () => {
  const from = { moduleFrom: PROFILE, profiles: ['team', 'teams'] };
  assert.deepEqual(chosen({}, {}, from), {
    module: 'teams',
    reasons: ['attribute:profile: unknown module "team": not used'],
  });
  assert.equal(chosen({}, {}, { ...from, profiles: ['team'] }).module, undefined);
});
