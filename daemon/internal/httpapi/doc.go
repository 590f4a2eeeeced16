// Package httpapi is the daemon's face for people and scripts: the HTTP API below api.Base with its OpenAPI document, the job
// stream and the watch over WebSocket, the log as a download, and health and metrics. It holds no rules of its own: it finds out
// who asks, asks package control, and turns what comes back into answers. It knows no SQL.
//
// Promises:
//   - Denied by default. accessTable has one row for each route; a route without a row, and a row without a route, panic when
//     the Server is made. Who asks is known before a byte of the body is read.
//   - An error answer is problem JSON (RFC 9457) with a stable code. What is not a fault.Error is "internal error" and a
//     reference id, and stands in the log under that id. Nothing of a request's body is ever echoed: it may hold a secret.
//   - Bodies are bounded and read whole, in bounded time, before a handler runs. A reader who stops reading loses the
//     connection after 10 s (sockets) or 30 s (downloads) and can go on where it stopped; nobody else waits for it.
//   - A token that ends also ends the sockets opened with it, within a second.
//   - Bearer tokens only: no cookie is read or set, no request with an Origin becomes a socket, and the Host header must be one of
//     the daemon's names, so that no web page can reach it through a name of its own.
//
// Goroutines: a socket has its handler's, which writes, and two more (one reads, one looks after the token and the daemon's
// stop); the handler waits for both. Close ends all sockets and waits for them. Ordinary requests start none.
//
// # Decisions
//
// huma describes and validates the typed routes. Its package-level NewError is left alone: a transformer turns its errors into
// ours. Its own body reading is bypassed, because the read deadline that it leaves on the connection cancels the context of any
// handler that runs longer than the deadline.
//
// A client behind another epoch of the store gets reset and then everything from the beginning on the same connection; it need
// not come back.
package httpapi
