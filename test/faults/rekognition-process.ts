// The stand-in for Amazon Rekognition as a process of its own, which can be killed and stopped. Prints where it listens.
// Each line that it reads is what becomes of the next call.
import { createInterface } from 'node:readline';
import { isRekognitionFault, startFakeRekognition } from '#test/fakes/rekognition.ts';

const fake = await startFakeRekognition();
process.stdout.write(`${fake.endpoint}\n`);
for await (const line of createInterface({ input: process.stdin }))
  if (isRekognitionFault(line)) fake.faults.push(line);
await fake.close();
