/** The DNS records that led to the targets, as a tree. */

import { el } from '../dom.js';

/**
 * @typedef {import('../../src/status/views.js').ResolutionView} Resolution
 * @typedef {Resolution['targets'][number]['steps'][number]} Step
 * @typedef {{ readonly step: Step, readonly children: Node[], readonly targets: string[] }} Node
 */

/** @param {Resolution | null} resolution */
export function resolutionParts(resolution) {
  if (resolution === null) return [];
  const { age, errors, targets } = resolution;
  const success =
    age === null ? 'No lookup has succeeded yet.' : `Last success ${Math.round(age)} s ago.`;
  const nodes = recordTree(targets);
  return [
    el('h2', {}, 'DNS'),
    el('p', { class: 'faint' }, [success, ...errors].join(' ')),
    nodes.length === 0 ? el('p', {}, 'No records.') : branch(nodes),
  ];
}

/**
 * Targets that share their first records share a branch.
 *
 * @param {Resolution['targets']} targets
 * @returns {readonly Node[]}
 */
export function recordTree(targets) {
  /** @type {Node[]} */ const roots = [];
  for (const { transport, address, steps } of targets) {
    let level = roots;
    /** @type {Node | undefined} */ let last;
    for (const step of steps) {
      last = level.find((node) => isSame(node.step, step));
      if (last === undefined) {
        last = { step, children: [], targets: [] };
        level.push(last);
      }
      level = last.children;
    }
    last?.targets.push(`${transport} ${address}`);
  }
  return roots;
}

/**
 * @param {Step} a
 * @param {Step} b
 */
function isSame(a, b) {
  return a.type === b.type && a.name === b.name && a.value === b.value;
}

/** @param {readonly Node[]} nodes @returns {HTMLElement} */
function branch(nodes) {
  const items = nodes.map(({ step, children, targets }) =>
    el(
      'li',
      {},
      el('b', {}, step.type),
      ` ${step.name} → ${step.value}`,
      el('span', { class: 'faint' }, ` ${stepFacts(step)}`),
      ...targets.map((target) => el('div', { class: 'leaf' }, `target ${target}`)),
      children.length === 0 ? null : branch(children),
    ),
  );
  return el('ul', { class: 'tree' }, ...items);
}

/** @param {Step} step */
function stepFacts({ order, preference, priority, weight, ttl_left }) {
  return [
    order === null ? '' : `order ${order}`,
    preference === null ? '' : `preference ${preference}`,
    priority === null ? '' : `priority ${priority}`,
    weight === null ? '' : `weight ${weight}`,
    ttl_left === null ? '' : `${ttl_left} s left`,
  ]
    .filter((text) => text !== '')
    .join(', ');
}
