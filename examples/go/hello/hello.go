// carol, in Go: says hello to bob and waits for his answer.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/gorilla/websocket"
)

type object = map[string]any

func main() {
	url := "ws://127.0.0.1:18040/ws"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	conn, _, err := websocket.DefaultDialer.Dial(url+"?api_key=carol&platform=demo", nil)
	check(err)
	id := fmt.Sprintf("go-%d", time.Now().UnixNano())
	check(conn.WriteJSON(object{"msg_id": id, "type": "sys_std", "payload": object{
		"message_info":    object{"platform": "demo", "message_id": id, "time": time.Now().Unix()},
		"message_segment": object{"type": "text", "data": "hello from Go"},
		"message_dim":     object{"api_key": "bob", "platform": "demo"}, // the receiver
	}}))
	for frame := (object{}); frame["type"] != "sys_std"; {
		check(conn.ReadJSON(&frame))
		fmt.Println(frame["type"], frame["payload"])
		if frame["type"] == "sys_std" { // else it comes again
			check(conn.WriteJSON(object{"type": "sys_ack", "meta": object{"acked_msg_id": frame["msg_id"]}, "payload": object{}}))
		}
	}
	check(conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
