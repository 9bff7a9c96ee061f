// alice, in Node or a browser: says hello to bob and waits for his answer.
import WebSocket from "ws"; // left out in browsers and from Node 22 on: it is built in there

const url = globalThis.process?.argv[2] ?? "ws://127.0.0.1:18040/ws";
const socket = new WebSocket(`${url}?api_key=alice&platform=demo`);

const hello = {
  message_info: { platform: "demo", message_id: `hello-${Date.now()}`, time: Date.now() / 1000 },
  message_segment: { type: "text", data: "hello from JavaScript" },
  message_dim: { api_key: "bob", platform: "demo" }, // the receiver
};

socket.onopen = () =>
  socket.send(JSON.stringify({ msg_id: `js-${Date.now()}`, type: "sys_std", payload: hello }));

socket.onmessage = (event) => {
  const frame = JSON.parse(event.data);
  if (frame.type === "sys_ack") console.log("acknowledged");
  if (frame.type === "sys_error") console.log(frame.payload.message);
  if (frame.type !== "sys_std") return;
  socket.send(JSON.stringify({ type: "sys_ack", meta: { acked_msg_id: frame.msg_id }, payload: {} }));
  console.log(`${frame.meta.sender_user}: ${frame.payload.message_segment.data}`);
  socket.close(1000);
};
