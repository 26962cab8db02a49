/** Names ↔ values: what can be chosen, with defaults from the data. */
export * from './choices.ts';
export * from './flags.ts';
export * from './named.ts';
export * from './options.ts';
export * from './presets.ts';
export * from './resolve.ts';
export * from './samplers.ts';
