// Package pki is the daemon's own certificate authority: it is made on the first start, signs the server's certificate and those
// of agents, and gives the TLS settings of the daemon's one listener.
//
// Files, all 0600 in a folder of mode 0700: ca.key, ca.pem, server.key, server.pem. The CA's key is the identity of the fleet's
// daemon (its public half is the pin that agents and consoles hold), so a CA certificate without its key is an error and never a
// reason to make a new one; a key without its certificate gets a new certificate, under the same pin.
//
// Agents' certificates say who an agent is (common name = agent id) and nothing else. Whether the agent may come in is a row in
// the store that package control asks at each handshake; there is no revocation list.
//
// No goroutine: the server's certificate is made anew by the first handshake that finds it old.
package pki
