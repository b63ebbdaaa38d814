import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { advice } from './codes';

const contract = JSON.parse(readFileSync('../contract/openapi.json', 'utf8')) as {
  components: { schemas: { Code: { enum?: string[]; oneOf?: { enum: string[] }[] } } };
};
const { Code } = contract.components.schemas;
const codes = Code.enum ?? Code.oneOf?.flatMap((one) => one.enum) ?? [];

test('every code of the contract has a tone and a next step, and no other has', () => {
  expect(codes.length).toBeGreaterThan(20);
  expect(Object.keys(advice).sort()).toEqual([...codes, 'DISCONNECTED'].sort());
});

test.each(Object.entries(advice))('%s is told as a sentence', (_, { title, next }) => {
  expect(title).toMatch(/^[A-Z]/);
  expect(next ?? 'A sentence.').toMatch(/^[A-Z].*[.?]$/s);
});
