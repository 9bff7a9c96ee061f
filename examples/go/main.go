// A client of maim without its SDK: connects, sends N texts, prints what comes, leaves after M.
//
//	main RECEIVER PLATFORM N M
//
// sends N texts to RECEIVER's connections on PLATFORM and ends when all of them are acknowledged
// and M messages have come. Environment: MAIM_URL, MAIM_API_KEY, MAIM_PLATFORM, and
// MAIM_CREDENTIAL=query|header for where the key goes.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Frame is the envelope of every message, in both directions.
type Frame struct {
	Ver     int             `json:"ver"`
	MsgID   string          `json:"msg_id"`
	Type    string          `json:"type"`
	Meta    map[string]any  `json:"meta"`
	Payload json.RawMessage `json:"payload"`
}

func main() {
	receiver, platform := argument(1, "bob"), argument(2, "demo")
	sends, missing := number(3, "1"), number(4, "0")
	conn := open()
	unacknowledged := map[string]bool{}
	for i := 1; i <= sends; i++ {
		message := text(fmt.Sprintf("number %d from go", i), receiver, platform)
		unacknowledged[message.MsgID] = true
		check(conn.WriteJSON(message))
	}
	for len(unacknowledged) > 0 || missing > 0 {
		_, data, err := conn.ReadMessage()
		check(err)
		fmt.Println(string(data))
		var received Frame
		check(json.Unmarshal(data, &received))
		switch {
		case received.Type == "sys_ack": // it is in safe hands now
			acked, _ := received.Meta["acked_msg_id"].(string)
			delete(unacknowledged, acked)
		case received.Type == "sys_error": // payload.msg_id names the one that was not taken
			os.Exit(1)
		case received.Type == "sys_std" || strings.HasPrefix(received.Type, "custom_"):
			missing--
			if received.MsgID != "" {
				meta := map[string]any{"acked_msg_id": received.MsgID}
				check(conn.WriteJSON(frame("sys_ack", meta, map[string]any{})))
			}
		}
	}
	leave(conn)
}

func open() *websocket.Conn {
	address, err := url.Parse(setting("MAIM_URL", "ws://127.0.0.1:18040/ws"))
	check(err)
	key, platform := setting("MAIM_API_KEY", "alice"), setting("MAIM_PLATFORM", "demo")
	header := http.Header{}
	if setting("MAIM_CREDENTIAL", "query") == "header" {
		header.Set("x-apikey", key)
		header.Set("x-platform", platform)
	} else {
		address.RawQuery = url.Values{"api_key": {key}, "platform": {platform}}.Encode()
	}
	conn, response, err := websocket.DefaultDialer.Dial(address.String(), header)
	if err == websocket.ErrBadHandshake { // an HTTP response that says why
		body, _ := io.ReadAll(response.Body)
		fail("refused: %d %s", response.StatusCode, body)
	}
	check(err)
	fmt.Fprintln(os.Stderr, "connected")
	return conn
}

func frame(kind string, meta map[string]any, payload any) Frame {
	encoded, err := json.Marshal(payload)
	check(err)
	return Frame{Ver: 1, MsgID: newID(), Type: kind, Meta: meta, Payload: encoded}
}

// text makes a message; message_dim names the receiver, meta is the router's to write.
func text(data, receiver, platform string) Frame {
	return frame("sys_std", map[string]any{}, map[string]any{
		"message_info": map[string]any{
			"platform":   setting("MAIM_PLATFORM", "demo"),
			"message_id": newID(),
			"time":       float64(time.Now().UnixMilli()) / 1000,
		},
		"message_segment": map[string]any{"type": "text", "data": data},
		"message_dim":     map[string]any{"api_key": receiver, "platform": platform},
	})
}

// leave says goodbye and waits until the edge has said it too.
func leave(conn *websocket.Conn) {
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	check(conn.WriteMessage(websocket.CloseMessage, goodbye))
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func newID() string {
	id := make([]byte, 16)
	_, err := rand.Read(id)
	check(err)
	return hex.EncodeToString(id)
}

func argument(position int, otherwise string) string {
	if len(os.Args) > position {
		return os.Args[position]
	}
	return otherwise
}

func number(position int, otherwise string) int {
	value, err := strconv.Atoi(argument(position, otherwise))
	check(err)
	return value
}

func setting(name, otherwise string) string {
	if value, found := os.LookupEnv(name); found {
		return value
	}
	return otherwise
}

func check(err error) {
	if err != nil {
		fail("failed: %v", err)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
