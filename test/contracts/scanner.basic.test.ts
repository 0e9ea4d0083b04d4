import { createBasicScanner } from '#src/adapters/scanner/basic.ts';
import { describeScanner } from './scanner.contract.ts';

describeScanner({ product: 'basic', open: async () => createBasicScanner() });
