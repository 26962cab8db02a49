/** Random numbers: counter-based streams named by their purpose. */
export { type Stream, stream } from './stream.ts';
