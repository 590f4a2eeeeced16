// Package wsconn carries frames over WebSocket: the only importer of github.com/coder/websocket. It accepts and dials, bounds
// what is read, gives every write a deadline of its own, notices a peer that is gone without a word (KeepAlive), and turns what
// can go wrong into fault errors that a person may see.
//
// Frames are whole text messages. permessage-deflate is off: log text is compressed where it is stored, and a compressor a
// connection would cost more memory than everything else an idle agent needs.
//
// A Conn starts no goroutine while it is idle. Each tick of KeepAlive runs one ping, and Close waits for it. One goroutine may
// Read at a time; all other methods may be called from any goroutine. Somebody must Read for pings, pongs and closes to be
// handled. After any error of Read or Write the connection is of no more use: Close it and dial again.
package wsconn
