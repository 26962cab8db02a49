// The few globals that every JavaScript runtime has and ES2023 does not declare, so that the core compiles against no platform.

declare function atob(data: string): string;
declare var performance: { now(): number };

interface TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { prototype: TextEncoder; new (): TextEncoder };

declare namespace WebAssembly {
  type ExportValue = CallableFunction | Memory;
  type Exports = Record<string, ExportValue>;
  type Imports = Record<string, Record<string, CallableFunction | Memory>>;

  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  var Memory: {
    prototype: Memory;
    /** Sizes in pages of 64 KiB. */
    new (descriptor: { initial: number; maximum?: number }): Memory;
  };

  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  var Module: {
    prototype: Module;
    new (bytes: Uint8Array<ArrayBuffer>): Module;
  };

  interface Instance {
    readonly exports: Exports;
  }
  var Instance: {
    prototype: Instance;
    new (module: Module, imports?: Imports): Instance;
  };
}
