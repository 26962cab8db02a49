/** Random numbers: counter-based streams named by their purpose. */
export { type Stream, stream } from './stream.ts';
export { truncated } from './truncated.ts';
export { type Variates, variates } from './variates.ts';
