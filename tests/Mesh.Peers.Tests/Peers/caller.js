// Calls xds:///... through grpc-js-xds and counts who answered: caller.js TARGET METHOD CALLS.
'use strict';
const grpc = require('@grpc/grpc-js');
require('@grpc/grpc-js-xds').register();

const [target, method, calls] = process.argv.slice(2);
const bytes = (x) => x;
const client = new grpc.Client(target, grpc.credentials.createInsecure());
const say = (timeout) => new Promise((resolve) =>
  client.makeUnaryRequest(method, bytes, bytes, Buffer.alloc(0), { deadline: Date.now() + timeout },
    (error, reply) => resolve(error ? `${error.code} ${error.details}` : reply.subarray(2).toString())));

(async () => {
  await new Promise((resolve, reject) => client.waitForReady(Date.now() + 30000, (error) => (error ? reject(error) : resolve())));
  const answers = {};
  let left = Number(calls);
  await Promise.all(Array.from({ length: 100 }, async () => {
    while (left-- > 0) {
      const who = await say(60000);
      answers[who] = (answers[who] ?? 0) + 1;
    }
  }));
  console.log(JSON.stringify(answers));
  process.stdin.on('end', () => process.exit(0)).resume(); // stays connected until the test has looked at the control plane
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
