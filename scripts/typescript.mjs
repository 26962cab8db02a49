/** `node --import ./scripts/typescript.mjs x.ts` runs TypeScript, in threads too, where `--import tsx` leaves them without. */
import { register } from 'tsx/esm/api';

register();
