/** Layers, initial values and network bodies: functions of tensors. */
export * from './activation.ts';
export * from './attention.ts';
export * from './chain.ts';
export * from './initialise.ts';
export * from './ladder.ts';
export * from './layers.ts';
export * from './made.ts';
export * from './networks.ts';
export * from './noise.ts';
export * from './parameters.ts';
export * from './scale.ts';
