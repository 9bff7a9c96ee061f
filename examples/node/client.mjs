// A client of maim without its SDK: connects, sends N texts, prints what comes, leaves after M.
//
//   node client.mjs RECEIVER PLATFORM N M
//
// sends N texts to RECEIVER's connections on PLATFORM and ends when all of them are acknowledged
// and M messages have come. Environment: MAIM_URL, MAIM_API_KEY, MAIM_PLATFORM, and
// MAIM_CREDENTIAL=query|header for where the key goes (browsers can only do query).
import { randomUUID } from "node:crypto";
import WebSocket from "ws";

const [receiver = "bob", receiverPlatform = "demo", sends = "1", receives = "0"] = process.argv.slice(2);
const { MAIM_URL = "ws://127.0.0.1:18040/ws", MAIM_API_KEY = "alice" } = process.env;
const { MAIM_PLATFORM = "demo", MAIM_CREDENTIAL = "query" } = process.env;

const unacknowledged = new Set();
let missing = Number(receives);

function open() {
  if (MAIM_CREDENTIAL === "header") {
    return new WebSocket(MAIM_URL, { headers: { "x-apikey": MAIM_API_KEY, "x-platform": MAIM_PLATFORM } });
  }
  const url = new URL(MAIM_URL);
  url.searchParams.set("api_key", MAIM_API_KEY);
  url.searchParams.set("platform", MAIM_PLATFORM);
  return new WebSocket(url);
}

function frame(type, meta, payload) {
  return { ver: 1, msg_id: randomUUID(), type, meta, payload };
}

// message_dim names the receiver; meta is the router's to write.
function text(data) {
  return frame("sys_std", {}, {
    message_info: { platform: MAIM_PLATFORM, message_id: randomUUID(), time: Date.now() / 1000 },
    message_segment: { type: "text", data },
    message_dim: { api_key: receiver, platform: receiverPlatform },
  });
}

const socket = open();

socket.on("open", () => {
  console.error("connected");
  for (let number = 1; number <= Number(sends); number += 1) {
    const message = text(`number ${number} from node`);
    unacknowledged.add(message.msg_id);
    socket.send(JSON.stringify(message));
  }
  leaveWhenDone();
});

socket.on("message", (data) => {
  const received = JSON.parse(data);
  console.log(JSON.stringify(received));
  if (received.type === "sys_ack") {
    unacknowledged.delete(received.meta.acked_msg_id); // it is in safe hands now
  } else if (received.type === "sys_error") { // payload.msg_id names the one that was not taken
    process.exit(1);
  } else if (received.type === "sys_std" || received.type.startsWith("custom_")) {
    missing -= 1;
    if (received.msg_id) socket.send(JSON.stringify(frame("sys_ack", { acked_msg_id: received.msg_id }, {})));
  }
  leaveWhenDone();
});

function leaveWhenDone() {
  if (unacknowledged.size === 0 && missing <= 0) socket.close(1000);
}

// A refused handshake is an HTTP response that says why.
socket.on("unexpected-response", (_request, response) => {
  response.setEncoding("utf8");
  response.on("data", (body) => console.error(`refused: ${response.statusCode} ${body}`));
  response.on("end", () => process.exit(1));
});

socket.on("error", (error) => console.error(`failed: ${error.message}`));

socket.on("close", (code, reason) => {
  console.error(`closed: ${code} ${reason}`);
  process.exitCode = code === 1000 ? 0 : 1;
});
