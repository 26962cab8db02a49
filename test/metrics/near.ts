import assert from 'node:assert/strict';

/** Fails unless `value` is within `tolerance` of `expected`. */
export function near(value: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(value - expected) <= tolerance, `${value}, expected ${expected} ± ${tolerance}`);
}
