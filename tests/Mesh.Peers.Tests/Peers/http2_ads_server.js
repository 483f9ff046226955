// An ADS server on bare HTTP/2, to misbehave below gRPC: half a message, GOAWAY, a torn connection. Commands as in ads_server.py, and
// half STREAM BASE64 | rest STREAM | goaway STREAM | tear STREAM
'use strict';
const http2 = require('node:http2');
const readline = require('node:readline');

const streams = new Map();
const rests = new Map();
const sockets = [];
let last = 0;

const frame = (message) => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};

const server = http2.createServer();
server.on('connection', (socket) => sockets.push(socket));
server.on('sessionError', () => {});
server.on('stream', (stream, headers) => {
  const number = String(++last);
  streams.set(number, stream);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  console.log(`open ${number} ${headers[':path']}`);
  let buffered = Buffer.alloc(0);
  stream.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 5 && buffered.length >= 5 + buffered.readUInt32BE(1)) {
      const end = 5 + buffered.readUInt32BE(1);
      console.log(`recv ${number} ${buffered.subarray(5, end).toString('base64')}`);
      buffered = buffered.subarray(end);
    }
  });
  stream.on('error', () => {});
  stream.on('close', () => console.log(`end ${number}`));
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

const commands = {
  send: (stream, text) => stream.write(frame(Buffer.from(text, 'base64'))),
  half: (stream, text, number) => {
    const whole = frame(Buffer.from(text, 'base64'));
    rests.set(number, whole.subarray(whole.length / 2));
    stream.write(whole.subarray(0, whole.length / 2));
  },
  rest: (stream, text, number) => stream.write(rests.get(number)),
  goaway: (stream) => stream.session.goaway(http2.constants.NGHTTP2_NO_ERROR),
  tear: () => sockets.forEach((socket) => socket.destroy()),
  close: (stream, code) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': code }));
    stream.end();
  },
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, number, text] = line.split(' ');
  commands[command](streams.get(number), text, number);
}).on('close', () => process.exit(0));
