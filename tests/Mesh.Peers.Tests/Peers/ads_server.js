// An ADS server on grpc-js that says what it is told to: raw messages in base64, one command a line; see ads_server.py.
'use strict';
const grpc = require('@grpc/grpc-js');
const readline = require('node:readline');

const bytes = (x) => x;
const streams = new Map();
let last = 0;
const method = (path) => ({ path, requestStream: true, responseStream: true,
  requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes });
const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService/';
const handler = (path) => (call) => {
  const number = String(++last);
  streams.set(number, call);
  console.log(`open ${number} ${path}`);
  call.on('data', (request) => console.log(`recv ${number} ${request.toString('base64')}`));
  call.on('end', () => { console.log(`end ${number}`); call.end(); });
  call.on('error', () => console.log(`end ${number}`));
};

const server = new grpc.Server();
server.addService(
  { sotw: method(`${service}StreamAggregatedResources`), delta: method(`${service}DeltaAggregatedResources`) },
  { sotw: handler(`${service}StreamAggregatedResources`), delta: handler(`${service}DeltaAggregatedResources`) });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    throw error;
  }
  console.log(`port ${port}`);
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, number, ...rest] = line.split(' ');
  if (command === 'send') {
    streams.get(number).write(Buffer.from(rest[0], 'base64'));
  } else if (command === 'close') {
    streams.get(number).emit('error', { code: Number(rest[0]), details: rest.slice(1).join(' ') });
  }
}).on('close', () => process.exit(0));
