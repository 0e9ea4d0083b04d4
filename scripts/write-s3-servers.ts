// Writes the table of docs/storage/s3-servers.md from a JSON report of the contract on all three servers:
//   vitest run test/contracts/object-store.s3.test.ts --reporter=json --outputFile=REPORT
//   node scripts/write-s3-servers.ts REPORT
import { readFileSync, writeFileSync } from 'node:fs';
import { Report, withProofs } from './support/s3-proofs.ts';

const [report] = process.argv.slice(2);
if (report === undefined) throw new Error('Expected the path of a JSON report');
const file = new URL('../docs/storage/s3-servers.md', import.meta.url);
const proofs = Report.parse(JSON.parse(readFileSync(report, 'utf8')));
writeFileSync(file, withProofs(readFileSync(file, 'utf8'), proofs));
