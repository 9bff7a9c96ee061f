// A client of maim without its SDK: connects, sends N texts, prints what comes, leaves after M.
//
//   java Client.java RECEIVER PLATFORM N M
//
// sends N texts to RECEIVER's connections on PLATFORM and ends when all of them are acknowledged
// and M messages have come. Environment: MAIM_URL, MAIM_API_KEY, MAIM_PLATFORM, and
// MAIM_CREDENTIAL=query|header for where the key goes. Needs JDK 17 and nothing else.

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

public class Client implements WebSocket.Listener {
    static final String URL = setting("MAIM_URL", "ws://127.0.0.1:18040/ws");
    static final String API_KEY = setting("MAIM_API_KEY", "alice");
    static final String PLATFORM = setting("MAIM_PLATFORM", "demo");
    static final String CREDENTIAL = setting("MAIM_CREDENTIAL", "query");

    final Set<String> unacknowledged = new HashSet<>();
    final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    final StringBuilder parts = new StringBuilder();
    final String receiver;
    final String receiverPlatform;
    final int sends;
    int missing;

    Client(String[] arguments) {
        receiver = arguments.length > 0 ? arguments[0] : "bob";
        receiverPlatform = arguments.length > 1 ? arguments[1] : "demo";
        sends = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 1;
        missing = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 0;
    }

    public static void main(String[] arguments) {
        Client client = new Client(arguments);
        try {
            client.open();
        } catch (CompletionException error) {
            System.err.println(reason(error.getCause()));
            System.exit(1);
        }
        System.exit(client.exitCode.join());
    }

    void open() {
        WebSocket.Builder builder = HttpClient.newHttpClient().newWebSocketBuilder();
        String address = URL;
        if (CREDENTIAL.equals("header")) {
            builder.header("x-apikey", API_KEY).header("x-platform", PLATFORM);
        } else {
            address += "?api_key=" + quoted(API_KEY) + "&platform=" + quoted(PLATFORM);
        }
        builder.buildAsync(URI.create(address), this).join();
    }

    static String reason(Throwable error) {
        if (error instanceof WebSocketHandshakeException refused) {
            return "refused: " + refused.getResponse().statusCode();
        }
        return "failed: " + error;
    }

    @Override
    public void onOpen(WebSocket socket) {
        System.err.println("connected");
        for (int number = 1; number <= sends; number++) {
            Map<String, Object> message = text("number " + number + " from java");
            unacknowledged.add((String) message.get("msg_id"));
            send(socket, message);
        }
        leaveWhenDone(socket);
        socket.request(1);
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
        parts.append(part);
        if (last) {
            String frame = parts.toString();
            parts.setLength(0);
            System.out.println(frame);
            take(socket, Json.object(new Json(frame).value()));
        }
        socket.request(1);
        return null;
    }

    void take(WebSocket socket, Map<String, Object> received) {
        String type = (String) received.get("type");
        if (type.equals("sys_ack")) { // it is in safe hands now
            unacknowledged.remove(Json.object(received.get("meta")).get("acked_msg_id"));
        } else if (type.equals("sys_error")) { // payload.msg_id names the one that was not taken
            exitCode.complete(1);
        } else if (type.equals("sys_std") || type.startsWith("custom_")) {
            missing -= 1;
            Object id = received.get("msg_id");
            if (id != null) {
                send(socket, frame("sys_ack", Map.of("acked_msg_id", id), Map.of()));
            }
        }
        leaveWhenDone(socket);
    }

    void leaveWhenDone(WebSocket socket) {
        if (unacknowledged.isEmpty() && missing <= 0 && !socket.isOutputClosed()) {
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        }
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        System.err.println("closed: " + code + " " + reason);
        exitCode.complete(code == WebSocket.NORMAL_CLOSURE ? 0 : 1);
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        System.err.println("failed: " + error);
        exitCode.complete(1);
    }

    void send(WebSocket socket, Map<String, Object> frame) {
        socket.sendText(Json.text(frame), true).join(); // one at a time, as this client demands
    }

    static Map<String, Object> frame(String type, Map<String, Object> meta, Map<String, Object> payload) {
        String id = UUID.randomUUID().toString();
        return Map.of("ver", 1, "msg_id", id, "type", type, "meta", meta, "payload", payload);
    }

    /** A message; message_dim names the receiver, meta is the router's to write. */
    Map<String, Object> text(String data) {
        String id = UUID.randomUUID().toString();
        double time = System.currentTimeMillis() / 1000.0;
        return frame("sys_std", Map.of(), Map.of(
            "message_info", Map.of("platform", PLATFORM, "message_id", id, "time", time),
            "message_segment", Map.of("type", "text", "data", data),
            "message_dim", Map.of("api_key", receiver, "platform", receiverPlatform)));
    }

    static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    static String quoted(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }
}

/** The JDK has no JSON; this is as much of it as a client needs (RFC 8259). */
class Json {
    private final String source;
    private int at = 0;

    Json(String source) {
        this.source = source;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    static String text(Object value) {
        if (value instanceof Map<?, ?> map) {
            List<String> members = new ArrayList<>();
            map.forEach((name, member) -> members.add(text(name) + ":" + text(member)));
            return "{" + String.join(",", members) + "}";
        }
        return value instanceof String string ? quoted(string) : String.valueOf(value);
    }

    private static String quoted(String string) {
        StringBuilder out = new StringBuilder("\"");
        for (char character : string.toCharArray()) {
            if (character == '"' || character == '\\') {
                out.append('\\').append(character);
            } else if (character < ' ') {
                out.append(String.format("\\u%04x", (int) character));
            } else {
                out.append(character);
            }
        }
        return out.append('"').toString();
    }

    Object value() {
        return switch (peek()) {
            case '{' -> members();
            case '[' -> elements();
            case '"' -> string();
            default -> word();
        };
    }

    private Map<String, Object> members() {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        while (peek() != '}') {
            String name = string();
            skip(':');
            found.put(name, value());
            skip(',');
        }
        at++;
        return found;
    }

    private List<Object> elements() {
        List<Object> found = new ArrayList<>();
        at++;
        while (peek() != ']') {
            found.add(value());
            skip(',');
        }
        at++;
        return found;
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        peek();
        at++;
        while (source.charAt(at) != '"') {
            out.append(source.charAt(at) == '\\' ? escaped() : source.charAt(at));
            at++;
        }
        at++;
        return out.toString();
    }

    private char escaped() {
        char character = source.charAt(++at);
        if (character == 'u') {
            at += 4;
            return (char) Integer.parseInt(source.substring(at - 3, at + 1), 16);
        }
        int known = "bfnrt".indexOf(character);
        return known < 0 ? character : "\b\f\n\r\t".charAt(known);
    }

    private Object word() {
        int from = at;
        while (at < source.length() && ",]} \t\r\n".indexOf(source.charAt(at)) < 0) {
            at++;
        }
        String word = source.substring(from, at);
        return switch (word) {
            case "true" -> true;
            case "false" -> false;
            case "null" -> null;
            default -> Double.valueOf(word);
        };
    }

    private char peek() {
        while (Character.isWhitespace(source.charAt(at))) {
            at++;
        }
        return source.charAt(at);
    }

    private void skip(char character) {
        if (peek() == character) {
            at++;
        }
    }
}
